import { describe, expect, it, vi } from 'vitest';
import type { Command, CommandResult } from '#failover';
import { createLogger } from '#platform';
import { FakeHands } from '../../../../test/fakes/fake-hands.js';
import { CommandRunner } from './command-runner.js';

const logger = createLogger('test', 'silent');

/** Hands that hold each command until the test lets it go. */
class HeldHands extends FakeHands {
  readonly letGo: (() => void)[] = [];

  override async run(command: Command, signal: AbortSignal): Promise<CommandResult> {
    await new Promise<void>((resolve) => this.letGo.push(resolve));
    return super.run(command, signal);
  }
}

const command = (id: string, epoch: number): Command => ({
  id,
  term: 1,
  epoch,
  group: 'orders',
  deadlineMs: 10_000,
  body: { kind: 'canary', cluster: 'a', topic: 't', principal: 'agent' },
});

describe('a command that waited for its turn', () => {
  it('is refused when a higher epoch was heard meanwhile (I5)', async () => {
    const hands = new HeldHands();
    let floor = 0;
    const refuse = (_term: number, epoch: number) => (epoch < floor ? ('refused_epoch' as const) : null);
    const runner = new CommandRunner({ hands, logger, refuse, maxRunning: 1 });
    const first = runner.run(command('1', 7));
    const second = runner.run(command('2', 7));
    await vi.waitFor(() => expect(hands.letGo).toHaveLength(1));
    floor = 8;
    hands.letGo[0]?.();
    expect(await first).toMatchObject({ ok: true });
    expect(await second).toMatchObject({ id: '2', ok: false, code: 'refused_epoch' });
    expect(hands.ran.map((c) => c.id)).toEqual(['1']);
  });
});
