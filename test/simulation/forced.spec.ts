import { beforeEach, describe, expect, it } from 'vitest';
import type { SagaRecord, SagaRequest } from '#failover';
import { requestOf } from '../../apps/controller/src/saga/saga-request.js';
import { evidenceOf } from '../../apps/controller/src/saga/saga-journal.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { expectGoodEnd } from './good-end.js';
import { Simulation, type SimController } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

let time: VirtualTime;
let database: MemoryAuthorityDatabase;
let sim: Simulation;
let leader: SimController;

beforeEach(async () => {
  time = new VirtualTime();
  database = new MemoryAuthorityDatabase();
  sim = new Simulation({ time, openStore: (client) => database.connect(client) });
  await sim.createGroup();
  leader = await takeOver('ctl-b');
});

async function takeOver(id: string): Promise<SimController> {
  const controller = sim.controller(id);
  await sim.acquire(controller);
  await controller.runner.takenOver();
  return controller;
}

const FORCE = { acceptLoss: { maxRecords: 100, maxMs: null }, override: [] } as const;

const ask = (force: NonNullable<SagaRequest['force']> = FORCE) => ({
  ...({ kind: 'failover', group: 'orders', target: 'b' } as const),
  request: { by: 'operator:ann', reason: 'INC-1', acceptUnfencedSource: false, force },
});

async function order(force?: NonNullable<SagaRequest['force']>) {
  await sim.refresh();
  return await leader.runner.request(ask(force), async () => undefined);
}

async function end(): Promise<SagaRecord> {
  await time.runUntil(() => leader.runner.open('orders') === null, 900_000);
  const [saga] = await sim.sagas();
  if (saga === undefined) throw new Error('no saga');
  return saga;
}

async function change(over: Partial<ReturnType<Simulation['groupRow']>>): Promise<void> {
  await sim.refresh();
  const { store, leadership, id } = leader;
  await store.transact(leadership.term, id, (tx) => tx.saveGroup({ ...sim.groupRow(), ...over }));
  await sim.refresh();
}

describe('a failover that a person orders', () => {
  it('two rehearsals and the act agree; it is a person’s saga and starts no cool-down', async () => {
    sim.world.killIdc('a');
    await sim.refresh();
    const rehearsals = [await leader.runner.rehearse(ask()), await leader.runner.rehearse(ask())];
    expect(await sim.sagas()).toEqual([]);
    const begun = await order();
    expect(rehearsals).toEqual([begun?.rehearsal, begun?.rehearsal]);
    const saga = await end();
    expect(saga).toMatchObject({ kind: 'failover', trigger: 'operator', outcome: 'DONE' });
    expect(requestOf(saga)).toMatchObject({ by: 'operator:ann', force: FORCE });
    expectGoodEnd(sim, [saga]);
    await sim.refresh();
    expect(sim.groupRow()).toMatchObject({ active: 'b', lastPublishedAutoAt: null, rejoin: ['a'] });
  });

  it('a rehearsal has no effect at any port: store, config center, agents', async () => {
    sim.world.killIdc('a');
    await sim.refresh();
    const { world, published } = sim;
    const seen = () =>
      JSON.stringify(
        [database.tables, world.history, [...world.goals], [...world.flows], published, sim.center.get('orders')],
        (_key, value: unknown) => (value instanceof Map ? [...value] : value),
      );
    const before = seen();
    expect((await leader.runner.rehearse(ask()))?.refusals).toEqual([]);
    expect(
      (await leader.runner.rehearse(ask({ ...FORCE, acceptLoss: { maxRecords: 0, maxMs: null } })))?.refusals,
    ).toHaveLength(1);
    expect(seen()).toBe(before);
  });

  it('a source that serves is not forced off, and nothing is written', async () => {
    const begun = await order();
    expect(begun).toMatchObject({ saga: null });
    expect(begun?.rehearsal.refusals.map((r) => r.name)).toEqual(['SOURCE_ANSWERS']);
    expect(await sim.sagas()).toEqual([]);
  });

  it('one that serves with faults is left while its row lasts; well again before publish, it stays', async () => {
    sim.world.verdictOf.set('a', 'DEGRADED');
    await order();
    const done = await end();
    expect(done).toMatchObject({ row: 510, outcome: 'DONE' });
    expectGoodEnd(sim, [done]);
  });

  it('one that is well again before publish is not left', async () => {
    sim.world.verdictOf.set('a', 'DEGRADED');
    sim.on('before', 'check-target', () => sim.world.verdictOf.delete('a'));
    await order();
    const saga = await end();
    expect(saga.outcome).toBe('RECOVERED');
    expectGoodEnd(sim, [saga]);
  });

  it('row 420: a source that serves inside is left only behind a fence that was read back (I9)', async () => {
    sim.world.verdictOf.set('a', 'ALIVE_INSIDE');
    sim.world.insideOnly = true;
    sim.world.stuckFence = true;
    await order();
    const saga = await end();
    expect(saga.outcome).toBe('FAILED');
    expect(sim.pointer()).toMatchObject({ activeCluster: 'a' });
    sim.world.stuckFence = false;
    await order();
    const again = await end();
    expect(evidenceOf(again, 'fence-source')).toMatchObject({ kind: 'fence', confirmed: true });
    expect(again.outcome).toBe('DONE');
  });

  it('onto a cluster whose rejoin is not finished: by name only, and it waits to rejoin no more', async () => {
    await change({ rejoin: ['b'] });
    sim.world.killIdc('a');
    sim.world.rejoining = true;
    expect((await order())?.rehearsal.refusals.map((r) => r.name)).toEqual(['LAG_UNKNOWN', 'TARGET_NOT_FIT']);
    const force = { acceptLoss: { maxRecords: null, maxMs: 600_000 }, override: ['TARGET_NOT_FIT'] as const };
    const begun = await order(force);
    expect(begun?.rehearsal.loss?.says).toMatch(/^everything written to a since the last switch/);
    const saga = await end();
    expect(saga.outcome).toBe('DONE');
    expect(evidenceOf(saga, 'open')).toMatchObject({ loss: { atLeast: true } });
    await sim.refresh();
    expect(sim.groupRow()).toMatchObject({ active: 'b', rejoin: ['a'] });
  });

  it('outlives its leader: the next one reads the order in the journal and goes on', async () => {
    sim.world.verdictOf.set('a', 'DEGRADED');
    sim.on('before', 'set-offsets', () => leader.leadership.lost());
    await order();
    await time.runUntil(() => !leader.leadership.current().leading, 900_000);
    leader = await takeOver('ctl-c');
    const saga = await end();
    expect(saga.outcome).toBe('DONE');
    expectGoodEnd(sim, [saga]);
  });
});
