import { beforeEach, describe, expect, it } from 'vitest';
import { stepsOf, type SagaRecord } from '#failover';
import { StoreUnavailableError } from '../../apps/controller/src/persistence/authority-store.port.js';
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
  leader = sim.controller('ctl-b');
  await sim.acquire(leader);
});

const FREEZES = stepsOf('failover')
  .flatMap((step) => [
    { when: 'before' as const, step },
    { when: 'after' as const, step },
  ])
  .filter(({ when, step }) => !(when === 'after' && step === 'close'));

const ended = (who: SimController): Promise<void> => time.runUntil(() => who.runner.open('orders') === null, 900_000);

async function end(who: SimController = leader): Promise<SagaRecord> {
  await ended(who);
  const [saga] = await sim.sagas();
  if (saga === undefined) throw new Error('no saga');
  return saga;
}

const alertTypes = async (): Promise<readonly string[]> =>
  (await sim.observer.pendingAlerts(20)).map((r) => r.alert.type);

describe('before publish every end is the old cluster, open and followed', () => {
  it('config center down: nothing is fenced (I25)', async () => {
    sim.world.killIdc('a');
    sim.center.refuseWrites = true;
    await sim.tick(leader);
    const saga = await end();
    expect(saga.outcome).toBe('ABORTED');
    expect(saga.journal.some((e) => e.step === 'fence-source')).toBe(false);
    expect((await sim.observer.goals()).length).toBe(0);
    sim.center.refuseWrites = false;
    expectGoodEnd(sim, [saga]);
  });

  it('the target dies before publish: compensated, the source takes writes again', async () => {
    sim.world.killIdc('a');
    sim.on('before', 'set-offsets', () => sim.world.killCluster('b'));
    await sim.tick(leader);
    const saga = await end();
    expect(saga.outcome).toBe('FAILED');
    expect(sim.pointer()).toMatchObject({ activeCluster: 'a', epoch: 1 });
    expect(await alertTypes()).toEqual(['acting', 'compensated']);
    expectGoodEnd(sim, [saga]);
    expect(sim.world.flows.get('a->b')).toBe('running');
    expect((await sim.observer.groups())[0]?.lastUnpublishedClose).toMatchObject({ attempts: 1, outcome: 'FAILED' });
  });

  it('the source answers between open and publish: RECOVERED, nothing moved', async () => {
    sim.world.killIdc('a');
    sim.on('before', 'stop-replication', () => sim.world.revive('a'));
    await sim.tick(leader);
    const saga = await end();
    expect(saga.outcome).toBe('RECOVERED');
    expect(sim.published.map((p) => p.activeCluster)).toEqual(['a']);
    expectGoodEnd(sim, [saga]);
    expect(sim.world.cluster('a').fenced).toBe(false);
  });

  it('an unknown source is waited for, and does not end as RECOVERED', async () => {
    sim.world.killIdc('a');
    sim.on('before', 'set-offsets', () => {
      sim.world.verdictOf.set('a', 'UNKNOWN');
      time.after(5_000, () => sim.world.verdictOf.delete('a'));
    });
    await sim.tick(leader);
    const saga = await end();
    expect(saga.outcome).toBe('DONE');
  });

  it('a flow that cannot be proved stopped ends the saga', async () => {
    sim.world.killIdc('a');
    sim.world.stuckFlows = true;
    await sim.tick(leader);
    const saga = await end();
    expect(saga.outcome).toBe('FAILED');
    sim.world.stuckFlows = false;
    expectGoodEnd(sim, [saga]);
  });

  it('a silent Connect worker may still copy: it ends the saga', async () => {
    sim.world.killIdc('a');
    sim.world.workers.set('b', 'silent');
    await sim.tick(leader);
    const saga = await end();
    expect(saga.outcome).toBe('FAILED');
    sim.world.reviveWorker('b');
    expectGoodEnd(sim, [saga]);
  });

  it('attempts of one trouble are counted', async () => {
    sim.world.killIdc('a');
    sim.world.stuckFlows = true;
    await sim.tick(leader);
    await ended(leader);
    await sim.tick(leader);
    await ended(leader);
    expect((await sim.observer.groups())[0]?.lastUnpublishedClose).toMatchObject({ attempts: 2 });
  });
});

describe('around publish', () => {
  it('silent after the attempt, then readable and ours: forward (I24)', async () => {
    sim.world.killIdc('a');
    sim.loseAnswerOfPublish(() => {
      sim.center.stop();
      time.after(60_000, () => sim.center.start());
    });
    await sim.tick(leader);
    const saga = await end();
    expect(saga.outcome).toMatch(/^DONE/);
    expect(sim.pointer()).toMatchObject({ activeCluster: 'b', epoch: 2 });
    expectGoodEnd(sim, [saga]);
  });

  it('silent after the attempt, then readable and not ours: the old cluster at a higher epoch first (I24)', async () => {
    sim.world.killIdc('a');
    sim.on('before', 'publish', () => {
      sim.center.stop();
      time.after(60_000, () => sim.center.start());
    });
    await sim.tick(leader);
    const saga = await end();
    expect(saga.outcome).toBe('FAILED');
    const undone = saga.journal.filter((e) => e.direction === 'undo' && e.event === 'done').map((e) => e.step);
    expect(undone).toEqual(['publish', 'unfence-target', 'stop-replication', 'fence-source']);
    expect(sim.pointer()).toMatchObject({ activeCluster: 'a', epoch: 3 });
    expect((await sim.observer.groups())[0]).toMatchObject({ active: 'a', epoch: 3, frozen: null });
    expectGoodEnd(sim, [saga]);
  });

  it('silent for sagaMaxOpen: a person, and the group is frozen', async () => {
    sim.world.killIdc('a');
    sim.on('before', 'check-target', () => sim.center.stop());
    await sim.tick(leader);
    const saga = await end();
    expect(saga.outcome).toBe('NEEDS_OPERATOR');
    expect((await sim.observer.groups())[0]?.frozen).toContain('silent');
    expect(await alertTypes()).toEqual(['acting', 'needs_operator']);
  });

  it("a stranger's pointer is not overwritten: frozen, our own effects taken back", async () => {
    sim.world.killIdc('a');
    sim.on('before', 'check-target', () => sim.center.overwrite({ ...sim.pointer(), epoch: 9, sagaId: 'stranger' }));
    await sim.tick(leader);
    const saga = await end();
    expect(saga.outcome).toBe('NEEDS_OPERATOR');
    expect(sim.pointer()).toMatchObject({ epoch: 9, sagaId: 'stranger' });
    expect((await sim.observer.groups())[0]?.frozen).toContain('epoch 9');
    sim.world.revive('a');
    expect(sim.world.acceptsWrites('a')).toBe(true);
  });

  it('after publish a broken target is debt, never a way back', async () => {
    sim.world.killIdc('a');
    sim.on('after', 'publish', () => sim.world.killCluster('b'));
    await sim.tick(leader);
    const saga = await end();
    expect(saga.outcome).toBe('DONE_WITH_DEBT');
    expectGoodEnd(sim, [saga]);
  });

  it('the old primary returns: fenced at once, nothing moves back, both directions stay stopped', async () => {
    sim.world.killIdc('a');
    await sim.tick(leader);
    await ended(leader);
    sim.world.revive('a');
    expect(sim.world.acceptsWrites('a')).toBe(false);
    expect([...sim.world.flows.values()]).toEqual(['stopped', 'stopped']);
    await sim.tick(leader);
    expect(await sim.sagas()).toHaveLength(1);
    expect((await sim.observer.groups())[0]).toMatchObject({ active: 'b', epoch: 2, rejoin: ['a'] });
  });
});

describe('two leaders', () => {
  it('a leader frozen before any of its commits, thawed after another acted, writes nothing anywhere (I2)', async () => {
    for (const at of FREEZES) {
      const world = await twoLeaders();
      world.sim.world.killIdc('a');
      let frozen = false;
      world.sim.on(at.when, at.step, () => {
        world.old.freeze();
        frozen = true;
      });
      void world.sim.tick(world.old);
      await world.time.runUntil(() => frozen);
      const heir = world.sim.controller('ctl-c');
      await world.sim.acquire(heir);
      await heir.runner.takenOver();
      await world.sim.tick(heir);
      await world.time.runUntil(() => heir.runner.open('orders') === null, 300_000);
      const before = await everything(world.sim, world.database);
      world.old.thaw();
      await world.time.pass(600_000);
      const after = await everything(world.sim, world.database);
      expect(after, `frozen ${at.when} ${at.step}`).toEqual(before);
      const sagas = await world.sim.sagas();
      expect(sagas.map((s) => s.outcome)).toEqual(['DONE']);
      expectGoodEnd(world.sim, sagas);
    }
  });

  it('losing leadership cancels the running step within a tick (I6)', async () => {
    sim.world.killIdc('a');
    sim.world.stuckFlows = true;
    await sim.tick(leader);
    await time.pass(1_000);
    const at = time.monotonicMs();
    leader.leadership.lost();
    await leader.runner.idle();
    expect(time.monotonicMs()).toBe(at);
    expect((await sim.sagas())[0]?.outcome).toBeNull();
  });

  it('the store restarts in mid-saga: the same leader goes on, nothing is written twice', async () => {
    for (const call of ['begin', 'commit-before', 'commit-after'] as const) {
      const world = await twoLeaders();
      world.sim.world.killIdc('a');
      await world.sim.tick(world.old);
      for (let i = 0; i < 3; i++) world.database.failNext(call, 'ctl-old');
      await world.time.runUntil(() => world.old.runner.open('orders') === null, 300_000);
      const sagas = await world.sim.sagas();
      expect(sagas.map((s) => s.outcome)).toEqual(['DONE']);
      const ends = sagas[0]?.journal.filter((e) => e.event === 'done').map((e) => e.step) ?? [];
      expect(new Set(ends).size).toBe(ends.length);
      expectGoodEnd(world.sim, sagas);
    }
  });
});

it('an opening whose commit lost its answer is driven as soon as the store shows it', async () => {
  const world = await twoLeaders();
  world.sim.world.killIdc('a');
  world.database.failNext('commit-after', 'ctl-old');
  await expect(world.sim.tick(world.old)).rejects.toBeInstanceOf(StoreUnavailableError);
  expect((await world.sim.sagas())[0]?.outcome).toBeNull();
  expect(world.old.runner.open('orders')).toBeNull();
  await world.old.runner.adopt('orders');
  expect(world.old.runner.open('orders')).not.toBeNull();
  await world.old.runner.adopt('orders'); // asked again at each tick: there is one driver
  await world.time.runUntil(() => world.old.runner.open('orders') === null, 300_000);
  expect((await world.sim.sagas()).map((s) => s.outcome)).toEqual(['DONE']);
});

async function twoLeaders() {
  const clock = new VirtualTime();
  const db = new MemoryAuthorityDatabase();
  const simulation = new Simulation({ time: clock, openStore: (client) => db.connect(client) });
  await simulation.createGroup();
  const old = simulation.controller('ctl-old');
  await simulation.acquire(old);
  return { time: clock, database: db, sim: simulation, old };
}

/** All that a write could have reached. */
const everything = async (of: Simulation, db: MemoryAuthorityDatabase) => ({
  commits: db.commits,
  published: of.published.length,
  pointer: of.pointer(),
  effects: of.world.history.filter((e) => e.kind !== 'stale-refused').length,
  goals: await of.observer.goals(),
});
