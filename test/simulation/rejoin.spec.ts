import { describe, expect, it } from 'vitest';
import { stepsOf, type RejoinOrder } from '#failover';
import { evidenceOf, valueOf } from '../../apps/controller/src/saga/saga-journal.js';
import { dyingAt } from './crashing-store.js';
import { afterFailover, ask, crashOnce, newestOf, settled, type More } from './old-side-stage.js';
import type { Simulation, SimController } from './simulation.js';

const newestSaga = (sim: Simulation) => newestOf(sim, 'rejoin');

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

  it('is refused with its reasons: nobody waits, no fence for the way back, silent old side', async () => {
    const stage = await afterFailover();
    stage.sim.world.closable = false;
    const names = async (order: Partial<RejoinOrder> = {}): Promise<readonly string[]> =>
      (await ask(stage, order))?.rehearsal.refusals.map((r) => r.name) ?? [];
    expect(await names()).toEqual(['NO_FENCE_FOR_THE_WAY_BACK']);
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
    const page = alerts.find((a) => a.type === 'old_primary_back');
    expect(page?.reason).toContain('7 records counted');
    expect(page?.incident).toBe(leader.decisions.returnIncident('orders'));
    const next = sim.controller('ctl-3');
    await sim.acquire(next);
    await next.runner.takenOver();
    await look(next);
    expect(told).toBe(1);
    await sim.close();
  });

  it('reads E_a once: a later leader finds records in the old log that the way back has brought', async () => {
    let died = false;
    const crash = crashOnce('after', 'reverse', () => (died = true));
    const { sim, time, leader } = await afterFailover({ crash });
    await ask({ leader });
    await time.runUntil(() => died);
    const { ends } = sim.world.cluster('a');
    sim.world.beforeEndsAreRead = () => void ends.set('orders/0', (ends.get('orders/0') ?? 0) + 10);
    const next = sim.controller('ctl-3');
    await sim.acquire(next);
    await next.runner.takenOver();
    await time.runUntil(() => settled(next));
    await expectRejoined(sim);
    expect(evidenceOf(await newestSaga(sim), 'report-tail')).toMatchObject({ records: 7 });
    expect((await sim.observer.ledger('orders')).map((r) => r.sourceEnd)).toEqual([100, 44]);
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
