import { beforeEach, describe, expect, it } from 'vitest';
import type { Json, SagaRecord, StepName } from '#failover';
import { placesFor } from '../../apps/controller/src/saga/steps/group-places.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { expectGoodEnd } from './good-end.js';
import { Simulation, type SimController } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

let time: VirtualTime;
let sim: Simulation;
let leader: SimController;

beforeEach(async () => {
  time = new VirtualTime();
  const database = new MemoryAuthorityDatabase();
  sim = new Simulation({ time, openStore: (client) => database.connect(client) });
  await sim.createGroup();
  leader = sim.controller('ctl-b');
  await sim.acquire(leader);
});

async function failover(): Promise<SagaRecord> {
  await sim.tick(leader);
  await time.runUntil(() => leader.runner.open('orders') === null, 300_000);
  const [saga] = await sim.sagas();
  if (saga === undefined) throw new Error('no saga');
  return saga;
}

const evidence = (saga: SagaRecord, step: StepName): Json =>
  saga.journal.find((e) => e.step === step && e.event === 'done')?.evidence ?? null;

describe('what is known of the fence is said, and nothing more', () => {
  it('an agent that sees every broker refuse: attested at once, and again before publish', async () => {
    sim.world.killCluster('a');
    const saga = await failover();
    expect(evidence(saga, 'fence-source')).toMatchObject({ kind: 'attested-refusal', confirmed: true });
    expect(evidence(saga, 'publish')).toMatchObject({ fence: 'attested-refusal, seen again before publish' });
    expect(evidence(saga, 'close')).toMatchObject({ loss: { atLeast: false } });
  });

  it('no session to its agent: waived at once, and the loss is "at least"', async () => {
    sim.world.killIdc('a');
    const saga = await failover();
    expect(evidence(saga, 'fence-source')).toMatchObject({
      kind: 'waiver',
      confirmed: false,
      ownAgentSession: false,
      waitedMs: 0,
    });
    expect(evidence(saga, 'close')).toMatchObject({ loss: { atLeast: true } });
  });

  it('frozen brokers under a living agent: tried for five seconds, then waived', async () => {
    sim.world.cluster('a').frozen = true;
    const saga = await failover();
    expect(evidence(saga, 'fence-source')).toMatchObject({ kind: 'waiver', ownAgentSession: true, waitedMs: 5_000 });
  });

  it('a cluster that serves nobody and can still be configured: fenced, proved by a refused write', async () => {
    sim.world.verdictOf.set('a', 'ALIVE_INSIDE');
    sim.world.insideOnly = true;
    const saga = await failover();
    expect(evidence(saga, 'fence-source')).toMatchObject({ kind: 'fence', confirmed: true });
    expect(saga.outcome).toBe('DONE');
  });

  it('a refusal that turns into an answer before publish ends the saga', async () => {
    sim.world.killCluster('a');
    sim.on('before', 'publish', () => sim.world.revive('a'));
    const saga = await failover();
    expect(saga.outcome).toBe('RECOVERED');
    expect(sim.pointer()).toMatchObject({ activeCluster: 'a' });
  });
});

describe('a Connect worker that refuses every connection', () => {
  it('holds up no failover: the goal stays pending, and a worker that returns is stopped', async () => {
    sim.world.killIdc('a');
    sim.world.workers.set('b', 'refuses');
    const saga = await failover();
    expect(saga.outcome).toBe('DONE');
    expect(evidence(saga, 'stop-replication')).toMatchObject({
      summary: expect.stringContaining('worker attested down, goal pending') as string,
      stopped: false,
    });
    expect(evidence(saga, 'close')).toMatchObject({
      pendingGoal: 'orders/flow/a->b',
      timeline: { replicationStoppedAt: null },
    });
    expect(sim.world.flows.get('a->b')).toBe('running');
    sim.world.reviveWorker('b');
    expect(sim.world.flows.get('a->b')).toBe('stopped');
    expectGoodEnd(sim, [saga]);
  });

  it('that comes back before the step ends is stopped and read back', async () => {
    sim.world.killIdc('a');
    sim.world.workers.set('b', 'silent');
    sim.on('before', 'stop-replication', () => time.after(3_000, () => sim.world.reviveWorker('b')));
    const saga = await failover();
    expect(saga.outcome).toBe('DONE');
    expect(evidence(saga, 'stop-replication')).toMatchObject({ stopped: true });
  });
});

describe('the position', () => {
  it('is written once: S, N and the last end seen of the source, with its age', async () => {
    sim.world.killIdc('a');
    const saga = await failover();
    expect(await sim.observer.ledger('orders')).toEqual([
      {
        group: 'orders',
        epoch: 2,
        from: 'a',
        to: 'b',
        topic: 'orders',
        partition: 0,
        s: 95,
        n: 94,
        sourceEnd: 100,
        sourceEndAgeMs: 900,
      },
      {
        group: 'orders',
        epoch: 2,
        from: 'a',
        to: 'b',
        topic: 'orders',
        partition: 1,
        s: 42,
        n: 41,
        sourceEnd: 44,
        sourceEndAgeMs: 900,
      },
    ]);
    expect(evidence(saga, 'freeze-position')).toMatchObject({ knownLostRecords: 7 });
  });

  it('a target that grows between two leaders has a stray writer: compensated', async () => {
    sim.world.killIdc('a');
    const first = sim.controller('ctl-1');
    await sim.acquire(first);
    sim.on('before', 'set-offsets', () => first.freeze());
    void sim.tick(first);
    await time.runUntil(() => sim.world.effects('flow-stopped').length === 1);
    await time.pass(1);
    sim.world.cluster('b').ends.set('orders/0', 96);
    const heir = sim.controller('ctl-2');
    await sim.acquire(heir);
    await heir.runner.takenOver();
    await time.runUntil(() => heir.runner.open('orders') === null, 300_000);
    const [saga] = await sim.sagas();
    expect(saga?.outcome).toBe('FAILED');
    expect(saga?.journal.find((e) => e.event === 'failed')?.evidence).toMatchObject({
      reason: expect.stringContaining('somebody writes') as string,
    });
  });
});

describe('consumer groups', () => {
  it('keep what MM2 synced, and start at earliest where nothing was synced', async () => {
    sim.world.killIdc('a');
    const saga = await failover();
    const groups = sim.world.cluster('b').groups;
    expect([...(groups.get('billing') ?? [])]).toEqual([
      ['orders/0', 90],
      ['orders/1', 0],
    ]);
    expect([...(groups.get('shipping') ?? [])]).toEqual([
      ['orders/0', 0],
      ['orders/1', 0],
    ]);
    expect(evidence(saga, 'set-offsets')).toMatchObject({
      groups: [
        { group: 'billing', kept: 1, earliest: 1 },
        { group: 'shipping', earliest: 2 },
      ],
    });
  });

  it('never stand past the end or before the start of the log (I34)', () => {
    const log = {
      starts: [10, 0, 5].map((offset, partition) => ({ topic: 't', partition, offset })),
      ends: new Map([
        ['t/0', 20],
        ['t/1', 7],
        ['t/2', 9],
      ]),
    };
    const places = placesFor(
      log,
      new Map([
        ['t/0', 3],
        ['t/1', 8],
        ['t/2', 9],
      ]),
    );
    expect(places).toMatchObject({ kept: 1, corrected: 2, earliest: 0 });
    expect(places.changes.map((c) => c.offset)).toEqual([10, 7]);
  });
});

it('the report has the timeline, the split of the RTO, the loss, the votes, and every step', async () => {
  sim.world.killIdc('a');
  const saga = await failover();
  const report = evidence(saga, 'close');
  expect(report).toMatchObject({
    outcome: 'DONE',
    incident: 'orders-failover-1',
    rto: {
      detectMs: expect.any(Number) as number,
      confirmMs: expect.any(Number) as number,
      actMs: expect.any(Number) as number,
      adoptMs: null,
    },
    loss: { knownRecords: 7, estimatedRecords: 12 },
    duplicates: { atMost: 179, unknown: expect.any(Number) as number },
    fence: 'waiver',
  });
  const alerts = (await sim.observer.pendingAlerts(9)).map((row) => row.alert);
  expect(new Set(alerts.map((a) => a.incident))).toEqual(new Set(['orders-failover-1']));
  expect(alerts.map((a) => [a.type, a.epoch])).toEqual([
    ['acting', 2],
    ['completed', 2],
  ]);
  const audit = await sim.observer.audit(0, 100);
  expect(audit.length).toBeGreaterThan(10);
});

it('row 190: the active cluster found fenced is opened with a new epoch, once', async () => {
  sim.world.cluster('a').fenced = true;
  const { snapshot, decision } = leader.decisions.evaluate();
  await leader.runner.unfenceActive(snapshot, decision);
  await leader.runner.unfenceActive(snapshot, decision);
  expect(sim.world.acceptsWrites('a')).toBe(true);
  expect(await sim.observer.goals()).toMatchObject([{ cluster: 'a', state: 'open', epoch: 2 }]);
  expect((await sim.observer.groups())[0]).toMatchObject({ epoch: 1, reservedEpoch: 2 });
});

it('row 190: nothing is opened while clients are told to follow somebody else, or nobody knows whom', async () => {
  sim.world.cluster('a').fenced = true;
  const { snapshot, decision } = leader.decisions.evaluate();
  sim.center.overwrite({ ...sim.pointer(), activeCluster: 'b', epoch: 2 });
  await leader.runner.unfenceActive(snapshot, decision);
  sim.center.stop();
  await expect(leader.runner.unfenceActive(snapshot, decision)).rejects.toBeInstanceOf(Error);
  expect(await sim.observer.goals()).toEqual([]);
});
