import { describe, expect, it } from 'vitest';
import { stepsOf, type RejoinOrder } from '#failover';
import { evidenceOf, valueOf } from '../../apps/controller/src/saga/saga-journal.js';
import { toldSurvey } from '../../apps/controller/src/saga/saga.port.js';
import { dyingAt } from './crashing-store.js';
import { afterFailover, ask, crashOnce, newestOf, settled, type More, type Stage } from './old-side-stage.js';
import type { Simulation } from './simulation.js';

const REBUILD: Partial<RejoinOrder> = { choice: 'rebuild', confirm: 'a' };

/** As {@link afterFailover}, told what only a holds (7 records), and the leader of the test in office. */
async function told(more: More = {}): Promise<Stage> {
  const { sim, time, database, leader } = await afterFailover();
  sim.world.cluster('a').groups.set('billing', new Map([['orders/0', 88]]));
  const { snapshot } = leader.decisions.evaluate();
  await leader.runner.survey(snapshot);
  let over = false;
  void leader.runner.idle().then(() => (over = true));
  await time.runUntil(() => over);
  sim.world.copies = true;
  return { sim, time, database, leader: await lead(sim, 'ctl-3', more) };
}

async function lead(sim: Simulation, id: string, more: More = {}): Promise<Stage['leader']> {
  const next = sim.controller(id, more);
  await sim.acquire(next);
  await next.runner.takenOver();
  await sim.refresh();
  return next;
}

async function expectRebuilt(sim: Simulation): Promise<void> {
  expect(await newestOf(sim, 'rebuild')).toMatchObject({ outcome: 'DONE', source: 'b', target: 'a' });
  expect(sim.pointer()).toMatchObject({ activeCluster: 'b' });
  expect([sim.world.acceptsWrites('a'), sim.world.acceptsWrites('b')]).toEqual([false, true]);
  expect(Object.fromEntries(sim.world.flows)).toEqual({ 'a->b': 'stopped', 'b->a': 'running' });
  expect(Object.fromEntries(sim.world.seeds.get('b->a') ?? [])).toEqual({ 'orders/0': 0, 'orders/1': 0 });
  expect([...sim.world.cluster('a').ends]).toEqual([...sim.world.cluster('b').ends]);
  expect(sim.world.cluster('a').groups.size).toBe(0);
  await sim.refresh();
  expect(sim.groupRow()).toMatchObject({ rejoin: [], active: 'b', frozen: null });
}

describe('a rebuild', () => {
  it('tells the tail, makes the topics anew, begins the ledger anew and copies from the start', async () => {
    const stage = await told();
    const answer = await ask(stage, REBUILD);
    expect(answer?.rehearsal.refusals).toEqual([]);
    await stage.time.runUntil(() => settled(stage.leader));
    await expectRebuilt(stage.sim);
    const saga = await newestOf(stage.sim, 'rebuild');
    expect(evidenceOf(saga, 'list-topics')).toMatchObject({ topics: [{ topic: 'orders', id: 'a/orders#1' }] });
    expect(valueOf(evidenceOf(saga, 'close'), 'tail')).toMatchObject({ records: 7, loss: { counted: 7 } });
    expect(evidenceOf(saga, 'follow-copy')).toMatchObject({ records: 162, total: 162 });
    const ledger = await stage.sim.observer.ledger('orders');
    expect(ledger.filter((r) => r.epoch === saga.epoch).map((r) => [r.from, r.to, r.s, r.n, r.sourceEnd])).toEqual([
      ['a', 'b', 0, -1, 0],
      ['a', 'b', 0, -1, 0],
    ]);
    expect(ledger.filter((r) => r.epoch < saga.epoch).map((r) => r.s)).toEqual([95, 42]); // the old life's rows stay
    await stage.sim.close();
  });

  it('is what is left when the old log came back shorter than its copy: there may be no tail to tell', async () => {
    const stage = await afterFailover();
    stage.sim.world.tail.seams.set('orders/1', { verdict: 'shorter', end: 30, needed: 42 });
    stage.sim.world.copies = true;
    await stage.leader.runner.survey(stage.leader.decisions.evaluate().snapshot);
    let over = false;
    void stage.leader.runner.idle().then(() => (over = true));
    await stage.time.runUntil(() => over);
    await ask(stage, REBUILD);
    await stage.time.runUntil(() => settled(stage.leader));
    await expectRebuilt(stage.sim);
    expect(evidenceOf(await newestOf(stage.sim, 'rebuild'), 'report-tail')).toMatchObject({
      records: null,
      choices: ['rebuild'],
    });
    await stage.sim.close();
  });

  it('is refused until the tail is told and the cluster named; a dry run writes nothing', async () => {
    const stage = await afterFailover();
    const names = async (order: Partial<RejoinOrder>): Promise<readonly string[]> =>
      (await ask(stage, order))?.rehearsal.refusals.map((r) => r.name) ?? [];
    expect(await names({ choice: 'rebuild' })).toEqual(['CLUSTER_NOT_NAMED', 'TAIL_NOT_TOLD']);
    expect(await names({ choice: 'rebuild', confirm: 'b' })).toEqual(['CLUSTER_NOT_NAMED', 'TAIL_NOT_TOLD']);
    const surveyed = await told();
    const before = surveyed.sim.world.history.length;
    const request = { by: 'operator:ann', reason: 'look', acceptUnfencedSource: false };
    const rejoin: RejoinOrder = {
      ...{ choice: 'rebuild', destination: 'file', strategy: 'last-write-wins', priority: [], confirm: 'a' },
    };
    const dry = await surveyed.leader.runner.rehearse({
      ...{ kind: 'rejoin', group: 'orders', target: null, request: { ...request, rejoin } },
    });
    expect(dry).toMatchObject({ target: 'a', refusals: [], plan: { kind: 'rebuild' } });
    expect(surveyed.sim.world.history).toHaveLength(before);
    expect((await surveyed.sim.sagas()).map((s) => s.kind)).toEqual(['failover']);
    await Promise.all([stage.sim.close(), surveyed.sim.close()]);
  });

  it('is not held up by what happened since the tail was told: events scroll away, the survey does not', async () => {
    const stage = await told();
    const { sim, leader } = stage;
    const flicker = {
      at: '2026-11-20T15:00:00Z',
      group: 'orders',
      type: 'decision',
      row: 600,
      summary: 'lag',
    } as const;
    await leader.store.transact(leader.leadership.term, leader.id, async (tx) => {
      for (let n = 0; n < 500; n++) await tx.appendEvent({ ...flicker, detail: null, term: 1, epoch: 2 });
    });
    const refused = await ask(stage, { choice: 'rebuild' });
    expect(refused?.rehearsal.refusals.map((r) => r.name)).toEqual(['CLUSTER_NOT_NAMED']);
    expect(await toldSurvey(sim.observer, { group: 'orders', active: 'b', epoch: 2 })).toMatchObject({
      ...{ present: true, survey: { cluster: 'a', switchEpoch: 2, tail: { records: 7 } } },
    });
    await ask(stage, REBUILD);
    await stage.time.runUntil(() => settled(leader));
    await expectRebuilt(sim);
    await sim.close();
  });

  it('is what is left without a ledger of the switch, as after break-glass: then no other choice is offered', async () => {
    const stage = await afterFailover();
    stage.database.tables.ledger.clear();
    stage.sim.world.copies = true;
    const refusals = async (order: Partial<RejoinOrder>): Promise<readonly string[]> =>
      (await ask(stage, order))?.rehearsal.refusals.map((r) => r.name) ?? [];
    expect(await refusals({ choice: 'accept' })).toEqual(['SWITCH_NOT_KNOWN']);
    expect(await refusals({ choice: 'rebuild' })).toEqual(['CLUSTER_NOT_NAMED']);
    expect(await refusals(REBUILD)).toEqual([]);
    await stage.time.runUntil(() => settled(stage.leader));
    await expectRebuilt(stage.sim);
    expect(evidenceOf(await newestOf(stage.sim, 'rebuild'), 'report-tail')).toMatchObject({ records: null });
    await stage.sim.close();
  });

  it('deletes nothing while consumers still read the old side', async () => {
    const stage = await told();
    stage.sim.world.activeGroups.add('a/billing');
    await ask(stage, REBUILD);
    await stage.time.runUntil(() => settled(stage.leader));
    const saga = await newestOf(stage.sim, 'rebuild');
    expect(saga.outcome).toBe('ABORTED');
    expect(saga.journal.find((e) => e.event === 'failed')?.evidence).toMatchObject({
      reason: expect.stringContaining('billing still reads on a'),
    });
    expect(stage.sim.world.effects('topic-deleted')).toEqual([]);
    await stage.sim.close();
  });

  it('that fails half way is gone on with by another one, and by no other choice', async () => {
    const stage = await told();
    stage.sim.on('after', 'remake-topics', () => void (stage.sim.world.stuckFlows = true));
    await ask(stage, REBUILD);
    await stage.time.runUntil(() => settled(stage.leader), 900_000);
    expect((await newestOf(stage.sim, 'rebuild')).outcome).toBe('FAILED');
    expect(stage.sim.world.acceptsWrites('a')).toBe(false);
    stage.sim.world.stuckFlows = false;
    await stage.sim.refresh();
    const refused = await ask(stage, { choice: 'accept' });
    expect(refused?.rehearsal.refusals.map((r) => r.name)).toEqual(['REBUILD_BEGUN']);
    await ask(stage, REBUILD);
    await stage.time.runUntil(() => settled(stage.leader));
    await expectRebuilt(stage.sim);
    expect(valueOf(evidenceOf(await newestOf(stage.sim, 'rebuild'), 'close'), 'tail')).toMatchObject({ records: null });
    await stage.sim.close();
  });

  it('says what a person must put right, and stops there', async () => {
    const stage = await told();
    stage.sim.world.rebuild.obstacles.push('orders was made anew and holds 3 offsets');
    await ask(stage, REBUILD);
    await stage.time.runUntil(() => settled(stage.leader), 900_000);
    const saga = await newestOf(stage.sim, 'rebuild');
    expect(saga.outcome).toBe('FAILED');
    expect(JSON.stringify(saga.journal.find((e) => e.event === 'failed')?.evidence)).toContain('holds 3 offsets');
    expect(stage.sim.groupRow().rejoin).toEqual(['a']);
    await stage.sim.close();
  });

  it('does not wait for a long copy to its end: the rest is debt, told while it goes on', async () => {
    const stage = await told();
    stage.sim.world.copies = false;
    stage.sim.world.cluster('b').ends.set('orders/0', 999_958);
    await ask(stage, REBUILD);
    await stage.time.runUntil(() => settled(stage.leader), 900_000);
    const saga = await newestOf(stage.sim, 'rebuild');
    expect(saga.outcome).toBe('DONE_WITH_DEBT');
    expect(stage.sim.world.flows.get('b->a')).toBe('running');
    const summaries = (await stage.sim.observer.lastEvents(200, 'orders')).map((e) => e.summary);
    expect(summaries).toContain('b→a: 0 of 1000000 records copied');
    await stage.sim.refresh();
    expect(stage.sim.groupRow().rejoin).toEqual([]);
    await stage.sim.close();
  });
});

const BOTH = ['before', 'after'] as const;
const DEATHS: readonly Readonly<{ name: string; certain: boolean; how: (died: () => void) => More }>[] = [
  ...stepsOf('rebuild').flatMap((step) =>
    BOTH.map((when) => ({
      name: `${when} the effect of ${step}`,
      certain: true,
      how: (died: () => void) => ({ crash: crashOnce(when, step, died) }),
    })),
  ),
  ...Array.from({ length: 18 }, (_, i) => i + 1).flatMap((n) =>
    BOTH.map((when) => ({
      name: `${when} transaction ${n}`,
      certain: n <= 11,
      how: (died: () => void) => ({ store: dyingAt(n, when, died) }),
    })),
  ),
];

describe('a rebuild whose leader dies (I22, I23)', () => {
  it.each(DEATHS)('$name: the next leader ends it, no topic is deleted twice', async ({ how, certain }) => {
    let dead = false;
    const stage = await told(how(() => (dead = true)));
    const { sim, time, leader } = stage;
    await ask(stage, REBUILD).catch((error: unknown) => {
      if (!dead) throw error;
    });
    await time.runUntil(() => dead || settled(leader));
    expect(dead || !certain, 'the leader was to die and did not').toBe(true);
    if (dead) {
      const next = await lead(sim, 'ctl-4');
      if (!(await sim.sagas()).some((s) => s.kind === 'rebuild')) await ask({ leader: next }, REBUILD);
      await time.runUntil(() => settled(next));
    }
    await expectRebuilt(sim);
    expect(sim.world.effects('topic-deleted')).toHaveLength(1);
    expect(sim.world.effects('topic-made')).toHaveLength(1);
    expect(sim.world.effects('flow-started', 'b->a')).toHaveLength(1);
    expect(sim.world.effects('stale-refused')).toEqual([]);
    await sim.close();
  });
});
