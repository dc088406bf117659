import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ClusterGoal, LeaseGrant } from '#failover';
import { FakeHands } from '../fakes/fake-hands.js';
import { TestAgent, type TestAgentOptions, TestController } from './session-rig.js';

const AFTER_MS = 1_500;
const opened: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function leader(): Promise<TestController> {
  const started = await TestController.start();
  opened.push(() => started.close());
  started.leadership.lead(3);
  return started;
}

async function agent(port: number, over: TestAgentOptions = {}): Promise<TestAgent> {
  const started = await TestAgent.start('a', [port], over);
  opened.push(async () => {
    await started.stop();
    started.forget();
  });
  return started;
}

const until = (what: () => void, timeout = 8_000): Promise<void> => vi.waitFor(what, { timeout, interval: 20 });

const grant = (arm: boolean): LeaseGrant => ({
  ...{ group: 'orders', cluster: 'a', epoch: 7, arm },
  selfFenceAfterMs: AFTER_MS,
});

const open: ClusterGoal = {
  ...{ subject: 'cluster', group: 'orders', cluster: 'a', state: 'open', epoch: 7, term: 3 },
  topics: ['orders'],
};

/** As a leader's ticks do it. @returns what ends it. */
function everyTick(c: TestController, grants: readonly LeaseGrant[]): () => void {
  const timer = setInterval(() => c.gateway.issueToken(3, grants), 100);
  const stop = (): void => clearInterval(timer);
  opened.push(stop);
  return stop;
}

const seen = (c: TestController) => {
  const { group, selfFence } = c.snapshots.build('orders', null);
  return { armed: group.armed, ...selfFence?.['a'] };
};

const closings = (hands: FakeHands): number => hands.applied.filter((g) => g.state === 'fenced').length;

async function armed(
  c: TestController,
  over: TestAgentOptions = {},
): Promise<Readonly<{ a: TestAgent; stop: () => void }>> {
  const a = await agent(c.port, over);
  const stop = everyTick(c, [grant(true)]);
  await until(() => expect(seen(c)).toMatchObject({ armed: { a: true, b: false }, applyMs: 1_000 }));
  return { a, stop };
}

describe('lease tokens over a session', () => {
  it('arm the agent, whose word every controller has; the token has an age at its leader alone', async () => {
    const c = await leader();
    const standby = await TestController.start({ controllerId: 'ctl-b' });
    opened.push(() => standby.close());
    standby.leadership.follow({ id: 'ctl-a', advertise: '' }, 3);
    const a = await TestAgent.start('a', [c.port, standby.port]);
    opened.push(async () => {
      await a.stop();
      a.forget();
    });
    everyTick(c, [grant(true)]);
    for (const each of [c, standby]) await until(() => expect(seen(each).armed).toEqual({ a: true, b: false }));
    expect(seen(c).tokenAgeMs).toBeLessThan(AFTER_MS);
    expect(seen(standby).tokenAgeMs).toBeNull();
    standby.gateway.issueToken(3, [grant(false)]);
    await until(() => expect(seen(c).armed).toEqual({ a: true, b: false }));
  });

  it('that stay away close the cluster; it is opened by the goal of a leader that speaks again', async () => {
    const c = await leader();
    c.gateway.setGoals(3, [open]);
    const { a, stop } = await armed(c);
    await until(() => expect(a.hands.applied).toContainEqual(open));
    expect(closings(a.hands)).toBe(0);
    stop();
    await until(() =>
      expect(c.gateway.goalStatus('orders/cluster/a')).toMatchObject({ observed: 'fenced', reached: false }),
    );
    expect(a.hands.applied.at(-1)).toMatchObject({ state: 'fenced', epoch: 7 });
    everyTick(c, [grant(true)]);
    await until(() =>
      expect(c.gateway.goalStatus('orders/cluster/a')).toMatchObject({ observed: 'open', reached: true }),
    );
  });

  it('that give the self-fence up are obeyed in time, and then silence closes nothing', async () => {
    const c = await leader();
    const { a, stop } = await armed(c);
    stop();
    const giveUp = everyTick(c, [grant(false)]);
    await until(() => expect(seen(c).armed).toEqual({ a: false, b: false }));
    await until(() =>
      expect(readFileSync(join(a.dataDir, 'self-fence.json'), 'utf8')).toBe('{"version":1,"armed":[]}'),
    );
    giveUp();
    await a.stop();
    expect(closings(a.hands)).toBe(0);
  });

  it('that never come close the cluster after a restart of an armed agent', async () => {
    const c = await leader();
    const { a, stop } = await armed(c);
    stop();
    await a.stop();
    const hands = new FakeHands();
    await agent(1, { dataDir: a.dataDir, hands });
    await until(() => expect(closings(hands)).toBeGreaterThan(0));
  });
});
