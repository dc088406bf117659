import { describe, expect, it } from 'vitest';
import { stepsOf, type RejoinOrder, type StepName } from '#failover';
import { CrashedHere, type CrashPoint } from '../../apps/controller/src/saga/crash-point.js';
import type { PlannedAnswer, PlannedAsk } from '../../apps/controller/src/saga/planned-ask.js';
import { evidenceOf, valueOf } from '../../apps/controller/src/saga/saga-journal.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { dyingAt } from './crashing-store.js';
import { Simulation, type SimController } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

const ORDER: RejoinOrder = { choice: 'export', destination: 'topic', strategy: 'last-write-wins', priority: [] };
const settled = (controller: SimController): boolean => controller.runner.open('orders') === null;

type Stage = Readonly<{ time: VirtualTime; sim: Simulation; leader: SimController }>;
type More = Parameters<Simulation['controller']>[1];

/** a died with a tail of 5 + 2 records (E_a 100 and 44, N 94 and 41), b is active, a answers again, fenced. */
async function afterFailover(more: More = {}): Promise<Stage> {
  const time = new VirtualTime();
  const database = new MemoryAuthorityDatabase();
  const sim = new Simulation({ time, openStore: (client) => database.connect(client) });
  await sim.createGroup();
  const first = sim.controller('ctl-1');
  await sim.acquire(first);
  sim.world.killIdc('a');
  await sim.tick(first);
  await time.runUntil(() => settled(first));
  sim.world.cluster('b').ends.set('orders/0', 120);
  sim.world.revive('a');
  const leader = sim.controller('ctl-2', more);
  await sim.acquire(leader);
  await leader.runner.takenOver();
  await sim.refresh();
  return { time, sim, leader };
}

const ask = (
  { leader }: Pick<Stage, 'leader'>,
  order: Partial<RejoinOrder> = {},
  acceptUnfencedSource = false,
): Promise<PlannedAnswer | null> => {
  const rejoin = { ...ORDER, ...order };
  const request = { by: 'operator:ann', reason: 'a is back', acceptUnfencedSource, rejoin };
  const wish: PlannedAsk = { kind: 'rejoin', group: 'orders', target: null, request };
  return leader.runner.request(wish, async () => undefined);
};

async function newestSaga(sim: Simulation) {
  const found = (await sim.sagas()).find((s) => s.kind === 'rejoin');
  if (found === undefined) throw new Error('no rejoin was opened');
  return found;
}

async function expectRejoined(sim: Simulation): Promise<void> {
  expect(await newestSaga(sim)).toMatchObject({ outcome: 'DONE', source: 'b', target: 'a' });
  expect(sim.pointer()).toMatchObject({ activeCluster: 'b' });
  expect([sim.world.acceptsWrites('a'), sim.world.acceptsWrites('b')]).toEqual([false, true]);
  expect(Object.fromEntries(sim.world.flows)).toEqual({ 'a->b': 'stopped', 'b->a': 'running' });
  expect(Object.fromEntries(sim.world.seeds.get('b->a') ?? [])).toEqual({ 'orders/0': 95, 'orders/1': 42 });
  await sim.refresh();
  expect(sim.groupRow()).toMatchObject({ rejoin: [], active: 'b', frozen: null });
}

describe('rejoin', () => {
  it('proves, counts, exports and starts the way back at the stored S, not at the present end', async () => {
    const stage = await afterFailover();
    const answer = await ask(stage);
    expect(answer?.rehearsal.refusals).toEqual([]);
    await stage.time.runUntil(() => settled(stage.leader));
    await expectRejoined(stage.sim);
    const saga = await newestSaga(stage.sim);
    expect(evidenceOf(saga, 'report-tail')).toMatchObject({ records: 7, loss: { counted: 7 } });
    expect(evidenceOf(saga, 'carry-out-choice')).toMatchObject({
      written: 7,
      present: 0,
      place: 'pointsman-tail.orders',
    });
    expect(valueOf(evidenceOf(saga, 'close'), 'tail')).toMatchObject({ records: 7 });
    expect((await stage.sim.observer.ledger('orders')).map((r) => [r.s, r.n, r.sourceEnd])).toEqual([
      [95, 94, 100],
      [42, 41, 44],
    ]);
    await stage.sim.close();
  });

  it.each(['accept', 'replay'] as const)('%s leads to the same end', async (choice) => {
    const stage = await afterFailover();
    await ask(stage, { choice });
    await stage.time.runUntil(() => settled(stage.leader));
    await expectRejoined(stage.sim);
    expect(stage.sim.world.tail.replayed.size).toBe(choice === 'replay' ? 7 : 0);
    await stage.sim.close();
  });

  it('ends before anything is changed when the old log came back shorter than its copy', async () => {
    const stage = await afterFailover();
    stage.sim.world.tail.seams.set('orders/1', { verdict: 'shorter', end: 30, needed: 42 });
    await ask(stage, { choice: 'accept' });
    await stage.time.runUntil(() => settled(stage.leader));
    const saga = await newestSaga(stage.sim);
    expect(saga.outcome).toBe('ABORTED');
    expect(saga.journal.find((e) => e.event === 'failed')?.evidence).toMatchObject({ choices: ['rebuild'] });
    expect(stage.sim.world.flows.get('b->a')).toBe('stopped');
    expect(stage.sim.world.acceptsWrites('a')).toBe(false);
    expect(stage.sim.world.effects('flow-seeded')).toEqual([]);
    expect(stage.sim.groupRow().rejoin).toEqual(['a']);
    await stage.sim.close();
  });

  it('is refused with its reasons: nobody waits, no fence for the way back, rebuild by hand, silent old side', async () => {
    const stage = await afterFailover();
    stage.sim.world.closable = false;
    const names = async (order: Partial<RejoinOrder> = {}): Promise<readonly string[]> =>
      (await ask(stage, order))?.rehearsal.refusals.map((r) => r.name) ?? [];
    expect(await names()).toEqual(['NO_FENCE_FOR_THE_WAY_BACK']);
    expect(await names({ choice: 'rebuild' })).toEqual(['NO_FENCE_FOR_THE_WAY_BACK', 'REBUILD_BY_HAND']);
    stage.sim.world.killIdc('a');
    expect(await names()).toEqual(['OLD_SIDE_SILENT', 'NO_FENCE_FOR_THE_WAY_BACK']);
    expect((await stage.sim.sagas()).map((s) => s.kind)).toEqual(['failover']);
    await stage.sim.close();
  });

  it('is surveyed when the old side is back: counted once, told with the choices, whoever leads', async () => {
    const { sim, time, leader } = await afterFailover();
    const { snapshot } = leader.decisions.evaluate();
    const surveys = async () => {
      const events = await sim.observer.lastEvents(100, 'orders');
      return events.flatMap((e) => valueOf(e.detail, 'survey') ?? []);
    };
    let told = 0;
    const look = async (by: SimController): Promise<void> => {
      await by.runner.survey(snapshot);
      let over = false;
      void by.runner.idle().then(() => (over = true));
      await time.runUntil(() => over);
      told = (await surveys()).length;
    };
    await look(leader);
    expect(told).toBe(1);
    expect((await surveys())[0]).toMatchObject({
      ...{ state: 'awaiting-choice', cluster: 'a', seam: { choices: ['accept', 'export', 'replay', 'rebuild'] } },
      tail: { records: 7, loss: { counted: 7 } },
    });
    const alerts = (await sim.observer.pendingAlerts(20)).map((r) => r.alert);
    expect(alerts.find((a) => a.type === 'old_primary_back')?.reason).toContain('7 records counted');
    const next = sim.controller('ctl-3');
    await sim.acquire(next);
    await next.runner.takenOver();
    await look(next);
    expect(told).toBe(1);
    await sim.close();
  });

  it('takes the way back when the flow cannot be started', async () => {
    const stage = await afterFailover();
    stage.sim.on('before', 'reverse', () => void (stage.sim.world.stuckFlows = true));
    await ask(stage);
    await stage.time.runUntil(() => settled(stage.leader), 900_000);
    expect((await newestSaga(stage.sim)).outcome).toBe('FAILED');
    expect(stage.sim.world.acceptsWrites('a')).toBe(false);
    expect(stage.sim.groupRow().rejoin).toEqual(['a']);
    await stage.sim.close();
  });
});

const crashOnce =
  (when: 'before' | 'after', step: StepName, died: () => void): CrashPoint =>
  (w, s) => {
    if (w !== when || s !== step) return;
    died();
    throw new CrashedHere(`${when}:${step}`);
  };

const BOTH = ['before', 'after'] as const;
const DEATHS: readonly Readonly<{ name: string; certain: boolean; how: (died: () => void) => More }>[] = [
  ...stepsOf('rejoin').flatMap((step) =>
    BOTH.map((when) => ({
      name: `${when} the effect of ${step}`,
      certain: true,
      how: (died: () => void) => ({ crash: crashOnce(when, step, died) }),
    })),
  ),
  ...Array.from({ length: 16 }, (_, i) => i + 1).flatMap((n) =>
    BOTH.map((when) => ({
      name: `${when} transaction ${n}`,
      certain: n <= 10,
      how: (died: () => void) => ({ store: dyingAt(n, when, died) }),
    })),
  ),
];

describe('a rejoin whose leader dies (I22, I23)', () => {
  it.each(DEATHS)('$name: the next leader ends it, nothing is written twice', async ({ how, certain }) => {
    let dead = false;
    const stage = await afterFailover(how(() => (dead = true)));
    const { sim, time, leader } = stage;
    await ask(stage).catch((error: unknown) => {
      if (!dead) throw error;
    });
    await time.runUntil(() => dead || settled(leader));
    expect(dead || !certain, 'the leader was to die and did not').toBe(true);
    if (dead) {
      const next = sim.controller('ctl-3');
      await sim.acquire(next);
      await next.runner.takenOver();
      await sim.refresh();
      if (!(await sim.sagas()).some((s) => s.kind === 'rejoin')) await ask({ leader: next });
      await time.runUntil(() => settled(next));
    }
    await expectRejoined(sim);
    expect(sim.world.tail.exported.size).toBe(7);
    expect(sim.world.effects('tail-exported')).toHaveLength(1);
    expect(sim.world.effects('flow-started', 'b->a')).toHaveLength(1);
    expect(sim.world.effects('stale-refused')).toEqual([]);
    await sim.close();
  });
});
