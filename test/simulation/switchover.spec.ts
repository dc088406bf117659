import { beforeEach, describe, expect, it } from 'vitest';
import { stepsOf, type SagaRecord } from '#failover';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { expectGoodEnd } from './good-end.js';
import { Simulation, type SimController } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

let time: VirtualTime;
let sim: Simulation;
let leader: SimController;

beforeEach(begin);

async function begin(): Promise<void> {
  time = new VirtualTime();
  const database = new MemoryAuthorityDatabase();
  sim = new Simulation({ time, openStore: (client) => database.connect(client) });
  sim.world.copies = true;
  await sim.createGroup();
  leader = sim.controller('ctl-b');
  await sim.acquire(leader);
  await leader.runner.takenOver();
}

async function end(): Promise<SagaRecord> {
  await time.runUntil(() => leader.runner.open('orders') === null, 900_000);
  const [saga] = await sim.sagas();
  if (saga === undefined) throw new Error('no saga');
  return saga;
}

const modes = (): readonly string[] => sim.published.map((p) => `${p.epoch} ${p.activeCluster} ${p.mode}`);

describe('a planned switch', () => {
  it('tells clients to drain and to hold, moves, and starts the way back from S on', async () => {
    const answer = await sim.request(leader);
    expect(answer?.rehearsal.refusals).toEqual([]);
    const saga = await end();
    expect(saga).toMatchObject({ kind: 'switchover', trigger: 'operator', outcome: 'DONE' });
    expect(saga.journal.filter((e) => e.event === 'done').map((e) => e.step)).toEqual(stepsOf('switchover'));
    expect(modes()).toEqual(['1 a ACTIVE', '2 a DRAIN', '3 a HOLD', `${saga.epoch} b ACTIVE`]);
    expect(sim.world.seeds.get('b->a')).toEqual(
      new Map([
        ['orders/0', 100],
        ['orders/1', 44],
      ]),
    );
    expect(sim.world.flows).toEqual(
      new Map([
        ['a->b', 'stopped'],
        ['b->a', 'running'],
      ]),
    );
    expect((await sim.observer.groups())[0]).toMatchObject({ active: 'b', epoch: saga.epoch, rejoin: [] });
    expectGoodEnd(sim, [saga], { oldSideOpen: false });
  });

  it('refuses the consumer groups of the side that it left, and tells where that cannot be', async () => {
    await sim.request(leader);
    const exchanged = (saga: SagaRecord) => saga.journal.find((e) => e.step === 'exchange-fence' && e.event === 'done');
    expect(exchanged(await end())?.evidence).toMatchObject({
      summary: 'a is closed by acl; consumer groups refused there: billing, shipping',
      refusedGroups: ['billing', 'shipping'],
    });
    expect(sim.world.goals.get('orders/cluster/a')).toMatchObject({
      state: 'fenced',
      deniedGroups: ['billing', 'shipping'],
    });
    expect(sim.world.goals.get('orders/cluster/b')).not.toHaveProperty('deniedGroups');

    await begin();
    sim.world.tellsReaders = false;
    await sim.request(leader);
    const saga = await end();
    expect(saga.outcome).toBe('DONE');
    expect(exchanged(saga)?.evidence).toMatchObject({
      summary: 'a is closed by acl; not refused: billing, shipping',
      refusedGroups: [],
    });
  });

  it('a commit marker at the end of the log is no missing record', async () => {
    sim.world.cluster('a').markers.set('orders/0', 1);
    await sim.request(leader);
    const saga = await end();
    expect(saga.outcome).toBe('DONE');
    expect(saga.journal.find((e) => e.step === 'catch-up' && e.event === 'done')?.evidence).toMatchObject({
      markersOnly: 1,
    });
  });

  it('a group that heeds no pointer is listed and does not hold up the switch', async () => {
    sim.world.activeGroups.add('a/billing');
    await sim.request(leader);
    const saga = await end();
    expect(saga.outcome).toBe('DONE');
    expect(saga.journal.find((e) => e.step === 'hold-consumers' && e.event === 'done')?.evidence).toMatchObject({
      active: ['billing'],
    });
    expect(saga.journal.find((e) => e.step === 'verify-publish' && e.event === 'done')?.evidence).toMatchObject({
      summary: expect.stringContaining('consumer group billing reads on a without the wrapper') as string,
      adoption: { unwrapped: ['consumer group billing reads on a without the wrapper'] },
    });
  });

  it('members that a killed cluster still counts are waited for before clients are told anything', async () => {
    sim.world.activeGroups.add('b/billing');
    time.after(20_000, () => {
      expect(sim.published.length).toBe(1);
      sim.world.activeGroups.delete('b/billing');
    });
    await sim.request(leader);
    const saga = await end();
    expect(saga.outcome).toBe('DONE');
    expect(saga.journal.find((e) => e.step === 'settle-groups' && e.event === 'done')?.evidence).toMatchObject({
      active: [],
      waitedFor: ['billing'],
    });
    expect(saga.journal.find((e) => e.step === 'set-offsets' && e.event === 'done')?.evidence).toMatchObject({
      groups: [{ group: 'billing', outcome: 'set' }, { group: 'shipping' }],
    });
  });

  it('a group that lives on the target is waited for in vain, listed and left alone', async () => {
    sim.world.activeGroups.add('b/billing');
    await sim.request(leader);
    const saga = await end();
    expect(saga.outcome).toBe('DONE');
    expect(saga.journal.find((e) => e.step === 'settle-groups' && e.event === 'done')?.evidence).toMatchObject({
      summary: 'still members on b: billing',
    });
    expect(saga.journal.find((e) => e.step === 'set-offsets' && e.event === 'done')?.evidence).toMatchObject({
      groups: [{ group: 'billing', outcome: 'active' }, { group: 'shipping' }],
    });
  });

  it('a person who accepts an open old side gets one where nothing else is to be had', async () => {
    sim.world.closable = false;
    expect((await sim.request(leader))?.rehearsal.refusals.map((r) => r.name)).toEqual(['NO_FENCE_FOR_THE_WAY_BACK']);
    expect((await sim.sagas()).length).toBe(0);
    await sim.request(leader, { acceptUnfencedSource: true });
    const saga = await end();
    expect(saga.outcome).toBe('DONE');
    expect(sim.world.acceptsWrites('a')).toBe(true);
    expectGoodEnd(sim, [saga], { oldSideOpen: true });
  });

  it('lists every reason at once and touches nothing', async () => {
    sim.world.closable = false;
    sim.world.killCluster('b');
    const answer = await sim.request(leader);
    expect(answer?.saga).toBeNull();
    expect(answer?.rehearsal.refusals.map((r) => r.name)).toEqual(['NO_FENCE_FOR_THE_WAY_BACK', 'TARGET_NOT_FIT']);
    expect(sim.published.length).toBe(1);
    expect(sim.world.history).toEqual([]);
  });
});

it('a pre-hook that vetoes ends it before anything is touched or told', async () => {
  sim.hookAnswer = { go: false, said: 'freeze week' };
  await sim.request(leader);
  const saga = await end();
  expect(saga.outcome).toBe('ABORTED');
  expect(saga.journal.find((e) => e.event === 'failed')?.evidence).toMatchObject({
    reason: 'pre-hook change-board vetoes: freeze week',
  });
  expect(sim.published.length).toBe(1);
  expect(sim.world.history).toEqual([]);
});

describe('every failure before publish leaves clients where they were, writing', () => {
  const failing: readonly (readonly [string, () => void])[] = [
    ['a fence that is never in place', () => (sim.world.stuckFence = true)],
    ['a connector that does not stop', () => (sim.world.stuckFlows = true)],
    ['a copy that does not catch up', () => (sim.world.copies = false)],
    ['a transaction left open', () => (sim.world.cluster('a').openTransaction = true)],
    [
      'a transaction that begins just before the fence',
      () => {
        sim.world.cluster('a').markers.set('orders/0', 1);
        sim.on('after', 'fence-source', () => (sim.world.cluster('a').openTransaction = true));
      },
    ],
    [
      'a write that slipped through a fence which somebody took away',
      () => sim.on('after', 'freeze-position', () => sim.world.cluster('a').ends.set('orders/1', 45)),
    ],
    ['a target that dies', () => sim.on('before', 'set-offsets', () => sim.world.killCluster('b'))],
    [
      'a config center that takes no HOLD',
      () =>
        sim.on('before', 'hold-consumers', () => {
          sim.center.refuseWrites = true;
          time.after(30_000, () => (sim.center.refuseWrites = false));
        }),
    ],
    ['a config center that falls silent before HOLD', () => silentBeforeHold()],
  ];
  const silentBeforeHold = () =>
    sim.on('before', 'hold-consumers', () => {
      sim.center.stop();
      time.after(30_000, () => sim.center.start());
    });

  it('says of a silent center that it is silent, and not that its pointer is a stranger’s', async () => {
    silentBeforeHold();
    await sim.request(leader);
    const failed = (await end()).journal.find((e) => e.event === 'failed');
    expect(failed).toMatchObject({ step: 'hold-consumers' });
    expect(JSON.stringify(failed)).toContain('the config center did not answer, so it was not told to HOLD');
  });

  it.each(failing)('%s', async (_name, arrange) => {
    arrange();
    await sim.request(leader);
    const saga = await end();
    expect(saga.outcome).toBe('FAILED');
    expect(sim.pointer()).toMatchObject({ activeCluster: 'a', mode: 'ACTIVE', sagaId: saga.id });
    expect(sim.pointer().epoch).toBeGreaterThan(saga.epoch);
    sim.world.stuckFlows = false;
    sim.world.applyGoals();
    expectGoodEnd(sim, [saga], { oldSideOpen: false });
    expect(sim.world.flows.get('a->b')).toBe('running');
    const [row] = await sim.observer.groups();
    expect(row).toMatchObject({ active: 'a', epoch: sim.pointer().epoch, lastUnpublishedClose: null });
  });

  it('clients whose HOLD runs out went on at the source: no publication finds them there', async () => {
    const database = new MemoryAuthorityDatabase();
    const times = { holdMs: 5_000 };
    sim = new Simulation({ time, openStore: (client) => database.connect(client), times });
    sim.world.copies = true;
    await sim.createGroup();
    leader = sim.controller('ctl-b');
    await sim.acquire(leader);
    await leader.runner.takenOver();
    await sim.request(leader);
    const saga = await end();
    expect(saga.outcome).toBe('FAILED');
    expect(saga.journal.find((e) => e.event === 'failed')).toMatchObject({ step: 'publish' });
    expect(sim.published.some((p) => p.activeCluster === 'b')).toBe(false);
    expectGoodEnd(sim, [saga], { oldSideOpen: false });
  });

  it('a source that dies keeps its fence and is handed to the matrix', async () => {
    sim.on('after', 'fence-source', () => sim.world.killIdc('a'));
    await sim.request(leader);
    const saga = await end();
    expect(saga.outcome).toBe('SOURCE_LOST');
    expect(sim.pointer()).toMatchObject({ activeCluster: 'a', mode: 'ACTIVE' });
    expect(saga.journal.some((e) => e.direction === 'undo' && e.step === 'fence-source')).toBe(false);
    await sim.tick(leader);
    const rescue = await end();
    expect(rescue).toMatchObject({ kind: 'failover', outcome: 'DONE', fromEpoch: sim.published.at(-2)?.epoch });
    expectGoodEnd(sim, [rescue]);
  });
});

describe('a connector that has failed is named, with what Connect says', () => {
  const failure = (connector: string) => ({ connector, task: 0, trace: 'ConnectException: Boom; Caused by: why' });
  const SAID = 'task 0 failed: ConnectException: Boom; Caused by: why';

  it('while the copy catches up: given up long before the deadline, and walked back', async () => {
    sim.on('before', 'catch-up', () => sim.world.failures.set('a->b', [failure('a-b-src')]));
    await sim.request(leader);
    const saga = await end();
    expect(saga.outcome).toBe('FAILED');
    const failed = saga.journal.find((e) => e.event === 'failed');
    expect(failed).toMatchObject({
      step: 'catch-up',
      evidence: {
        reason: `b did not catch up: orders/0 misses 5, orders/1 misses 2; a-b-src ${SAID}`,
        failures: [failure('a-b-src')],
      },
    });
    const began = saga.journal.find((e) => e.step === 'catch-up' && e.event === 'intent')?.at ?? '';
    expect(Date.parse(failed?.at ?? '') - Date.parse(began)).toBeLessThan(20_000);
    expect(sim.pointer()).toMatchObject({ activeCluster: 'a', mode: 'ACTIVE' });
    expectGoodEnd(sim, [saga], { oldSideOpen: false });
  });

  it('while the copy catches up, and is restarted in time: nothing but a delay', async () => {
    sim.on('before', 'catch-up', () => {
      sim.world.failures.set('a->b', [failure('a-b-src')]);
      time.after(8_000, () => sim.world.failures.clear());
    });
    await sim.request(leader);
    expect((await end()).outcome).toBe('DONE');
  });

  it('while the way back starts: left over as a debt, stopped, and told in the end', async () => {
    sim.on('before', 'reverse', () => sim.world.failures.set('b->a', [failure('b-a-src')]));
    await sim.request(leader);
    const saga = await end();
    expect(saga.outcome).toBe('DONE_WITH_DEBT');
    expect(saga.journal.find((e) => e.event === 'failed')).toMatchObject({
      step: 'reverse',
      evidence: { reason: expect.stringContaining(`b-a-src ${SAID}`) as string, failures: [failure('b-a-src')] },
    });
    expect(saga.journal.at(-1)?.evidence).toMatchObject({
      reason: expect.stringMatching(/^left over: reverse \(the flow b→a does not run: .*Caused by: why\)$/) as string,
    });
    expect(sim.world.flows.get('b->a')).toBe('stopped');
    expectGoodEnd(sim, [saga], { oldSideOpen: false });
  });
});

describe('a transaction that stays open on the source', () => {
  const opening = async (more: Partial<Simulation['options']>): Promise<void> => {
    const database = new MemoryAuthorityDatabase();
    sim = new Simulation({ time, openStore: (client) => database.connect(client), ...more });
    sim.world.copies = true;
    await sim.createGroup();
    leader = sim.controller('ctl-b');
    await sim.acquire(leader);
    await leader.runner.takenOver();
  };
  const byPolicy = { policy: { openTransactions: { waitMs: 15_000, onTimeout: 'abort-transactions' } } } as const;

  it('ends the switch before anything is fenced, and the refusal names it', async () => {
    sim.world.cluster('a').openTransaction = true;
    await sim.request(leader);
    const saga = await end();
    expect(saga.journal.find((e) => e.event === 'failed')).toMatchObject({
      step: 'settle-transactions',
      evidence: {
        reason: expect.stringContaining('transactions stay open on a: payments-1 on orders/0'),
        transactionalIds: ['payments-1'],
        liftedBy: expect.stringContaining('policy.openTransactions.onTimeout: abort-transactions'),
      },
    });
    expect(sim.world.effects('fenced')).toEqual([]);
    expect(sim.world.effects('transactions-aborted')).toEqual([]);
  });

  it.each([
    ['is waited for', 'before'],
    ['is waited for, also one that the fence met', 'after'],
  ] as const)('%s', async (_name, when) => {
    if (when === 'after') sim.world.cluster('a').markers.set('orders/0', 1);
    sim.on(when, when === 'before' ? 'settle-transactions' : 'fence-source', () => {
      sim.world.cluster('a').openTransaction = true;
      time.after(8_000, () => (sim.world.cluster('a').openTransaction = false));
    });
    await sim.request(leader);
    const saga = await end();
    expect(saga.outcome).toBe('DONE');
    expect(sim.world.effects('transactions-aborted')).toEqual([]);
  });

  it.each(['before the fence', 'under the fence'] as const)(
    'is aborted %s, where the policy says so',
    async (where) => {
      await opening(byPolicy);
      sim.world.cluster('a').markers.set('orders/0', 1);
      const step = where === 'before the fence' ? 'settle-transactions' : 'fence-source';
      sim.on(where === 'before the fence' ? 'before' : 'after', step, () => {
        sim.world.cluster('a').openTransaction = true;
      });
      await sim.request(leader);
      const saga = await end();
      expect(saga.outcome).toBe('DONE');
      expect(sim.world.effects('transactions-aborted').map((e) => e.subject)).toEqual(['payments-1']);
      expectGoodEnd(sim, [saga], { oldSideOpen: false });
    },
  );
});

describe('a person aborts', () => {
  const before = stepsOf('switchover').slice(2, stepsOf('switchover').indexOf('publish'));

  it.each(before)('before %s: walked back, and said so', async (step) => {
    let answer: Promise<string | null> = Promise.resolve(null);
    sim.on('before', step, () => {
      answer = leader.runner.abort(leader.runner.open('orders')?.saga.id ?? '', 'ann: not tonight');
    });
    await sim.request(leader);
    const saga = await end();
    expect(await answer).toBe('aborted');
    expect(saga.outcome).toBe('ABORTED');
    expect(sim.pointer()).toMatchObject({ activeCluster: 'a', mode: 'ACTIVE' });
    expectGoodEnd(sim, [saga], { oldSideOpen: false });
    expect(sim.world.flows.get('a->b')).toBe('running');
  });

  it.each(['publish', 'verify-publish', 'exchange-fence', 'reverse', 'remember'] as const)(
    'before %s: too late, it goes on',
    async (step) => {
      let answer: Promise<string | null> = Promise.resolve(null);
      sim.on('before', step, () => {
        answer = leader.runner.abort(leader.runner.open('orders')?.saga.id ?? '', 'ann: not tonight');
      });
      await sim.request(leader);
      const saga = await end();
      expect(await answer).toBe('too-late: publish');
      expect(saga.outcome).toBe('DONE');
      expectGoodEnd(sim, [saga], { oldSideOpen: false });
    },
  );
});
