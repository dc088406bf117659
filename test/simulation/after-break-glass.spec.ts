import { expect, it } from 'vitest';
import { breakGlassPointer } from '#config-center';
import type { RejoinOrder } from '#failover';
import type { PlannedAsk } from '../../apps/controller/src/saga/planned-ask.js';
import { evidenceOf, valueOf } from '../../apps/controller/src/saga/saga-journal.js';
import { GroupKeeper, type KeptGroup } from '../../apps/controller/src/publishing/group-keeper.js';
import { FakeAgentGateway } from '../fakes/agent-gateway.js';
import { afterFailover, ask, newestOf, settled, type Stage } from './old-side-stage.js';
import { GROUP, limitOn } from './simulation.js';

const KEPT: KeptGroup = { ...GROUP, mode: 'auto' };

/** By a person past every controller, while nobody leads; then a leader finds it, and somebody acknowledges. */
async function breakGlassTo({ sim, time, leader }: Stage, target: string): Promise<void> {
  const { current, claimedTerm } = sim.center.get('orders');
  if (current === null) throw new Error('no pointer');
  const act = { id: '01', target, bootstrapServers: [`${target}:9092`], at: '2026-11-20T15:00:00Z' };
  const moved = breakGlassPointer(current, claimedTerm, act);
  sim.center.put('orders', { current: moved, claimedTerm: moved.term });
  await leader.store.raiseTerm(moved.term);
  const term = await sim.acquire(leader);
  const { store, publishing, leadership } = leader;
  const keeper = new GroupKeeper(
    {
      ...{ store, publishing, leadership, gateway: new FakeAgentGateway(sim.world), log: { warn: () => undefined } },
      time: {
        monotonicMs: () => time.monotonicMs(),
        wallMs: () => time.wallMs(),
        sleep: (...of) => time.sleep(...of),
        limit: limitOn(time),
      },
    },
    { controller: leader.id, groups: [KEPT], checkMs: 10_000, retryMs: 1_000 },
  );
  expect(await keeper.keep(KEPT, term)).toBe('freeze');
  await store.transact(term, leader.id, async (tx) => {
    const row = await tx.group('orders');
    if (row !== null) await tx.saveGroup({ ...row, frozen: null });
  });
  await leader.runner.takenOver();
  await sim.refresh();
}

/** a→b by a failover, a brought back, led home by a failback: the ledger holds a→b and b→a, and a is active. */
async function homeAgain(): Promise<Stage> {
  const stage = await afterFailover();
  const { sim, time, leader } = stage;
  await ask(stage, { choice: 'accept' });
  await time.runUntil(() => settled(leader));
  await sim.refresh();
  sim.world.copies = true;
  sim.world.copy('b', 'a');
  const request = { by: 'operator:ann', reason: 'home again', acceptUnfencedSource: false };
  const failback: PlannedAsk = { kind: 'failback', group: 'orders', target: 'a', request };
  const answer = await leader.runner.request(failback, async () => undefined);
  expect(answer?.rehearsal.refusals).toEqual([]);
  await time.runUntil(() => settled(leader));
  expect(await newestOf(sim, 'failback')).toMatchObject({ outcome: 'DONE' });
  await sim.refresh();
  expect(sim.groupRow()).toMatchObject({ active: 'a', rejoin: [] });
  return stage;
}

it('the switch of another time between the same clusters is not taken for the one that break-glass made', async () => {
  const stage = await homeAgain();
  const { sim, time, leader } = stage;
  await breakGlassTo(stage, 'b');
  expect(sim.groupRow()).toMatchObject({ active: 'b', frozen: null, rejoin: ['a'] });
  const old = (await sim.observer.ledger('orders')).filter((row) => row.from === 'a');
  expect(old.map((row) => row.epoch)).toEqual([2, 2]); // of the failover, long ago
  const events = (await sim.observer.lastEvents(500, 'orders')).length;

  await leader.runner.survey(leader.decisions.evaluate().snapshot);
  let over = false;
  void leader.runner.idle().then(() => (over = true));
  await time.runUntil(() => over);
  expect(await sim.observer.lastEvents(500, 'orders')).toHaveLength(events); // nothing that could be told would be true

  const refusals = async (order: Partial<RejoinOrder>): Promise<readonly string[]> =>
    (await ask(stage, order))?.rehearsal.refusals.map((r) => r.name) ?? [];
  for (const choice of ['accept', 'export', 'replay'] as const)
    expect(await refusals({ choice })).toEqual(['SWITCH_NOT_KNOWN']);
  expect(await refusals({ choice: 'rebuild', confirm: 'a' })).toEqual([]);
  await time.runUntil(() => settled(leader));
  const rebuild = await newestOf(sim, 'rebuild');
  expect(rebuild).toMatchObject({ outcome: 'DONE', source: 'b', target: 'a' });
  expect(evidenceOf(rebuild, 'report-tail')).toMatchObject({ records: null });
  expect(valueOf(evidenceOf(rebuild, 'remember'), 'ledgerRows')).toBe(2);
  expect(Object.fromEntries(sim.world.seeds.get('b->a') ?? [])).toEqual({ 'orders/0': 0, 'orders/1': 0 });
  await sim.close();
});

it('what a failover froze before it walked back is no switch either', async () => {
  const stage = await homeAgain();
  const { sim, time, leader } = stage;
  sim.world.killCluster('a');
  sim.on('before', 'publish', () => sim.world.revive('a'));
  await sim.tick(leader);
  await time.runUntil(() => settled(leader), 300_000);
  expect(await newestOf(sim, 'failover')).toMatchObject({ outcome: 'RECOVERED' });
  await breakGlassTo(stage, 'b');
  const frozen = (await sim.observer.ledger('orders')).filter((row) => row.from === 'a' && row.epoch > 2);
  expect(frozen).toHaveLength(2);
  const answer = await ask(stage, { choice: 'accept' });
  expect(answer?.rehearsal.refusals.map((r) => r.name)).toEqual(['SWITCH_NOT_KNOWN']);
  await sim.close();
});
