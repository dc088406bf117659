import { describe, expect, it } from 'vitest';
import type { Command, CommandResult, TailCommand } from '#failover';
import type { AgentGateway } from '../../observation/observation.port.js';
import type { Asking } from '../agent-calls.js';
import { SAGA_TIMES } from '../saga-options.js';
import { DeadlinePassed } from '../saga-time.js';
import { carryOn, WORK_LEFT_MS } from './returned.js';

const DEADLINE_MS = 240_000;
const REPLAY = {
  ...{ kind: 'replay_tail', from: 'a', to: 'b', ranges: [], since: [], strategy: 'last-write-wins', priority: [] },
} as const satisfies TailCommand;
const REPORT = { kind: 'report_tail', cluster: 'a', ranges: [] } as const satisfies TailCommand;

/** Time passes only where it is slept; `events` says at which instant what happens to the sessions. */
function stage(events: ReadonlyMap<number, readonly string[]>, endsAfterMs: number) {
  const asked: { agent: string; atMs: number }[] = [];
  const deadline = new AbortController();
  let nowMs = 0;
  let able: readonly string[] = events.get(0) ?? [];
  const answer = ({ id, body }: Command): CommandResult => {
    const progress = { finished: nowMs >= endsAfterMs, done: 0, total: 1 };
    if (body.kind === 'report_tail') {
      return {
        id,
        ok: true,
        output: { kind: 'tail_report', progress, records: 0, bytes: 0, partitions: [], path: '' },
      };
    }
    return { id, ok: true, output: { kind: 'tail_replay', progress, written: 1, merged: 0, kept: 0, present: 0 } };
  };
  const gateway: Pick<AgentGateway, 'agentsFor' | 'command'> = {
    agentsFor: () => able,
    command: (agent, command) => {
      asked.push({ agent, atMs: nowMs });
      return Promise.resolve(answer(command));
    },
  };
  const time = {
    monotonicMs: () => nowMs,
    sleep: (ms: number): Promise<void> => {
      nowMs += ms;
      for (const [atMs, names] of events) if (atMs > nowMs - ms && atMs <= nowMs) able = names;
      if (nowMs >= DEADLINE_MS) deadline.abort(new DeadlinePassed(DEADLINE_MS));
      return deadline.signal.aborted ? Promise.reject(deadline.signal.reason as Error) : Promise.resolve();
    },
  };
  const ctx = { gateway, time, term: 1, epoch: 1, times: SAGA_TIMES, saga: { group: 'orders' } } as unknown as Asking;
  return { ctx, signal: deadline.signal, asked, who: () => [...new Set(asked.map((a) => a.agent))] };
}

describe('work that writes', () => {
  it('stays with the agent that was asked first, though a nearer one comes', async () => {
    const s = stage(
      new Map([
        [0, ['far']],
        [1_000, ['near', 'far']],
      ]),
      5_000,
    );
    expect(await carryOn(s.ctx, 'a', REPLAY, s.signal)).toMatchObject({ agent: 'far', written: 1 });
    expect(s.who()).toEqual(['far']);
  });

  it('waits for an agent whose session is gone, and goes on with it', async () => {
    const s = stage(
      new Map([
        [0, ['near', 'far']],
        [1_000, ['far']],
        [20_000, ['near', 'far']],
      ]),
      21_000,
    );
    expect(await carryOn(s.ctx, 'a', REPLAY, s.signal)).toMatchObject({ agent: 'near' });
    expect(s.who()).toEqual(['near']);
  });

  it('is given to another agent only when the first one has certainly stopped', async () => {
    const s = stage(
      new Map([
        [0, ['near', 'far']],
        [1_000, ['far']],
      ]),
      60_000,
    );
    expect(await carryOn(s.ctx, 'a', REPLAY, s.signal)).toMatchObject({ agent: 'far' });
    const last = s.asked.findLast((a) => a.agent === 'near')!;
    const next = s.asked.find((a) => a.agent === 'far')!;
    expect(next.atMs - last.atMs).toBeGreaterThanOrEqual(WORK_LEFT_MS);
  });

  it('begins only then where another leader may have given it to somebody', async () => {
    const s = stage(new Map([[0, ['near']]]), 0);
    await carryOn(s.ctx, 'a', REPLAY, s.signal, true);
    expect(s.asked[0]?.atMs).toBeGreaterThanOrEqual(WORK_LEFT_MS);
  });

  it('says what it waited for', async () => {
    const s = stage(
      new Map([
        [0, ['near']],
        [1_000, []],
      ]),
      DEADLINE_MS,
    );
    await expect(carryOn(s.ctx, 'a', REPLAY, s.signal)).rejects.toThrow(/did not end in time: no agent with a session/);
  });
});

describe('work that only reads', () => {
  it('goes on at once with another agent', async () => {
    const s = stage(
      new Map([
        [0, ['near', 'far']],
        [1_000, ['far']],
      ]),
      2_000,
    );
    expect(await carryOn(s.ctx, 'a', REPORT, s.signal)).toMatchObject({ agent: 'far' });
  });
});
