import { beforeEach, describe, expect, it } from 'vitest';
import { breakGlassPointer, type Pointer } from '#config-center';
import type { Goal } from '#failover';
import { MemoryConfigCenterServer } from '#testing';
import { type GroupRow, newGroupRow } from '../../apps/controller/src/persistence/authority-store.port.js';
import { AT, aSaga } from '../../apps/controller/src/persistence/conformance/builders.js';
import { GroupKeeper, type KeptGroup } from '../../apps/controller/src/publishing/group-keeper.js';
import { ClaimLostError } from '../../apps/controller/src/publishing/publishing.port.js';
import { PublishingService } from '../../apps/controller/src/publishing/publishing-service.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { FakeLeadership } from './fake-leadership.js';
import { bindTo } from './gated.js';
import { limitOn } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

const GROUP: KeptGroup = {
  name: 'orders',
  mode: 'auto',
  clusters: [
    { name: 'a', bootstrapServers: ['a:9092'] },
    { name: 'b', bootstrapServers: ['b:9092'] },
  ],
  watch: {
    name: 'orders',
    clusters: ['a', 'b'],
    topics: ['orders'],
    flows: [
      { from: 'a', to: 'b', naming: 'identity', connectors: { source: 's', checkpoint: 'c', heartbeat: 'h' } },
      { from: 'b', to: 'a', naming: 'identity', connectors: { source: 's', checkpoint: 'c', heartbeat: 'h' } },
    ],
  },
};

let time: VirtualTime;
let database: MemoryAuthorityDatabase;
let main: MemoryConfigCenterServer;
let second: MemoryConfigCenterServer;

beforeEach(() => {
  time = new VirtualTime();
  database = new MemoryAuthorityDatabase();
  main = new MemoryConfigCenterServer();
  second = new MemoryConfigCenterServer();
});

const log = { warn: () => undefined };

/** `asked`: what is asked of the store, by name. */
async function leader(id: string, asked: (string | symbol)[] = []) {
  const store = new Proxy(database.connect(id), {
    get(target, key) {
      asked.push(key);
      return bindTo(target, key) as unknown;
    },
  });
  const leadership = new FakeLeadership(id);
  const centers = new Map([
    ['main', main.open()],
    ['second', second.open()],
  ]);
  const parts = {
    monotonicMs: () => time.monotonicMs(),
    wallMs: () => time.wallMs(),
    sleep: (ms: number, signal: AbortSignal) => time.sleep(ms, signal),
    limit: limitOn(time),
  };
  const publishing = new PublishingService(centers, leadership, parts, log, {
    controller: id,
    groups: [{ name: 'orders', publishTo: ['main', 'second'] }],
    canaryMs: 10_000,
    callMs: 2_000,
    follower: { attempts: 5, retryMs: 1_000 },
  });
  const told: Goal[][] = [];
  const gateway = { setGoals: (_term: number, goals: readonly Goal[]) => void told.push([...goals]) };
  const keeper = new GroupKeeper(
    { store, publishing, leadership, gateway, time: parts, log },
    { controller: id, groups: [GROUP], checkMs: 10_000, retryMs: 1_000 },
  );
  const lease = await store.acquireLease(await store.readLease(), { id, advertise: id });
  if (lease === null) throw new Error('no lease');
  leadership.won(lease.term);
  return { store, leadership, publishing, keeper, told, term: lease.term, keep: () => keeper.keep(GROUP, lease.term) };
}

const row = async (): Promise<GroupRow> => {
  const [found] = await database.connect('observer').groups();
  if (found === undefined) throw new Error('no group');
  return found;
};

const pointer = (of: MemoryConfigCenterServer = main): Pointer | null => of.get('orders').current;

const stranger = (epoch: number, activeCluster: string): Pointer => ({
  version: 1,
  group: 'orders',
  activeCluster,
  mode: 'ACTIVE',
  epoch,
  term: 1,
  sagaId: 'of another store',
  bootstrapServers: ['x:9092'],
  publishedAt: '2026-11-20T14:00:00Z',
});

describe('a group is created once', () => {
  it('row, epoch 1, every center', async () => {
    const l = await leader('ctl-a');
    expect(await l.keep()).toBe('create');
    expect(await row()).toMatchObject({ active: 'a', epoch: 1, reservedEpoch: 1, frozen: null });
    expect(pointer()).toMatchObject({ activeCluster: 'a', epoch: 1, sagaId: null, bootstrapServers: ['a:9092'] });
    await time.pass(1);
    expect(pointer(second)).toEqual(pointer());
    expect(l.publishing.behind('orders')).toEqual([]);
    expect(await l.keep()).toBe('agree');
  });

  it('a leader that dies after the row is finished by the next', async () => {
    database.tables.groups.set('orders', { ...newborn, reservedEpoch: 1 });
    expect(await (await leader('ctl-b')).keep()).toBe('finish-creation');
    expect(await row()).toMatchObject({ active: 'a', epoch: 1, frozen: null });
    expect(pointer()).toMatchObject({ activeCluster: 'a', epoch: 1 });
  });

  it('a leader that dies after the publication is finished by the next', async () => {
    await (await leader('ctl-a')).keep();
    const published = pointer();
    database.tables.groups.set('orders', { ...(await row()), epoch: 0 });
    expect(await (await leader('ctl-b')).keep()).toBe('finish-creation');
    expect(await row()).toMatchObject({ active: 'a', epoch: 1, frozen: null });
    expect(pointer()).toEqual(published);
  });

  it('waits for a silent center and goes on by itself', async () => {
    main.stop();
    const l = await leader('ctl-a');
    l.keeper.begin();
    await time.pass(5_000);
    expect(await database.connect('observer').groups()).toEqual([]);
    main.start();
    await time.runUntil(() => pointer() !== null, 10_000);
    l.leadership.lost();
    await l.keeper.end();
  });
});

describe('a group that agrees with its config center', () => {
  const ofSagas = (asked: readonly (string | symbol)[]) => asked.filter((key) => /saga/i.test(String(key)));

  it('is compared without a question about sagas', async () => {
    const asked: (string | symbol)[] = [];
    const l = await leader('ctl-a', asked);
    await l.keep();
    asked.length = 0;
    expect(await l.keep()).toBe('agree');
    expect(asked).toEqual(['groups']);
  });

  it('and comes to differ costs one saga, the one that the pointer names', async () => {
    const asked: (string | symbol)[] = [];
    const l = await leader('ctl-a', asked);
    await l.keep();
    const saga = aSaga('saga-1', 'orders', { outcome: 'NEEDS_OPERATOR', closedAt: AT });
    database.tables.sagas.set(saga.id, { ...saga, journal: [] });
    database.tables.groups.set('orders', { ...(await row()), reservedEpoch: 2 });
    main.overwrite({ ...stranger(2, 'b'), sagaId: saga.id });
    asked.length = 0;
    expect(await l.keep()).toBe('adopt');
    expect(ofSagas(asked)).toEqual(['openSagas', 'saga', 'openSagas']);
  });

  it('whose pointer names a saga of another group is frozen', async () => {
    const l = await leader('ctl-a');
    await l.keep();
    const saga = aSaga('saga-1', 'payments', { outcome: 'DONE', closedAt: AT });
    database.tables.sagas.set(saga.id, { ...saga, journal: [] });
    database.tables.groups.set('orders', { ...(await row()), reservedEpoch: 2 });
    main.overwrite({ ...stranger(2, 'b'), sagaId: saga.id });
    expect(await l.keep()).toBe('freeze');
  });

  it('is read from the store once a round, with all the others', async () => {
    const asked: (string | symbol)[] = [];
    const l = await leader('ctl-a', asked);
    await l.keep();
    asked.length = 0;
    l.keeper.begin();
    await time.pass(25_000);
    l.leadership.lost();
    await l.keeper.end();
    expect(asked).toEqual(['groups', 'groups', 'groups']);
  });
});

describe('what does not fit freezes the group and is not overwritten (I3)', () => {
  beforeEach(async () => {
    await (await leader('ctl-a')).keep();
  });

  it.each([
    [
      'an epoch above the highest reserved',
      () => main.overwrite(stranger(9, 'b')),
      'above the highest reserved',
      { active: 'b', epoch: 9 },
    ],
    [
      'foreign content under our epoch',
      () => main.overwrite(stranger(1, 'b')),
      'foreign content',
      { active: 'b', epoch: 1 },
    ],
  ])('%s', async (_name, happens, why, view) => {
    happens();
    const before = pointer();
    const next = await leader('ctl-b');
    expect(await next.keep()).toBe('freeze');
    expect((await row()).frozen).toContain(why);
    expect(pointer()).toEqual(before);
    expect(await row()).toMatchObject(view);
    const { store, term } = next;
    await store.transact(term, 'ctl-b', async (tx) => {
      const held = await tx.group('orders');
      if (held !== null) await tx.saveGroup({ ...held, frozen: null });
    });
    expect(await next.keep()).toBe('agree');
    expect(await store.transact(term, 'ctl-b', (tx) => tx.reserveEpoch('orders', 0))).toBeGreaterThan(
      before?.epoch ?? 0,
    );
  });

  it('an empty center under a known group', async () => {
    main = new MemoryConfigCenterServer();
    expect(await (await leader('ctl-b')).keep()).toBe('freeze');
    expect((await row()).frozen).toContain('lost the pointer');
    expect(pointer()).toBeNull();
  });

  it('a center that went back', async () => {
    database.tables.groups.set('orders', { ...(await row()), epoch: 5, reservedEpoch: 5, active: 'b' });
    expect(await (await leader('ctl-b')).keep()).toBe('freeze');
    expect((await row()).frozen).toContain('went back');
  });

  it('a store that does not know the group, though the center does', async () => {
    database = new MemoryAuthorityDatabase();
    const l = await leader('ctl-b');
    expect(await l.keep()).toBe('freeze');
    expect(await row()).toMatchObject({ active: 'a', epoch: 1, reservedEpoch: 1 });
  });
});

describe('a publication of our own that the store did not hear of', () => {
  const SAGA = aSaga('saga-1', 'orders', { trigger: 'auto', outcome: 'NEEDS_OPERATOR', closedAt: AT });

  it.each([null, 'saga saga-1: the config center is silent'])(
    'is taken over with all that rests on it (frozen: %s)',
    async (frozen) => {
      await (await leader('ctl-a')).keep();
      database.tables.groups.set('orders', { ...(await row()), reservedEpoch: 2, frozen });
      database.tables.sagas.set(SAGA.id, { ...SAGA, journal: [] });
      main.overwrite({ ...stranger(2, 'b'), sagaId: SAGA.id });
      expect(await (await leader('ctl-b')).keep()).toBe('adopt');
      const { publishedAt } = stranger(2, 'b');
      expect(await row()).toMatchObject({
        ...{ active: 'b', epoch: 2, frozen, rejoin: ['a'] },
        ...{ lastPublishedAutoAt: publishedAt, lastPublishedSagaAt: publishedAt },
      });
    },
  );
});

describe('an act of break-glass', () => {
  const moveTo = (target: string): Pointer => {
    const { current, claimedTerm } = main.get('orders');
    if (current === null) throw new Error('no pointer');
    const act = { id: `to-${target}`, target, bootstrapServers: [`${target}:9092`], at: '2026-11-20T14:00:00Z' };
    const next = breakGlassPointer(current, claimedTerm, act);
    main.put('orders', { current: next, claimedTerm: next.term });
    return next;
  };
  const clusterGoals = (goals: readonly Goal[] | undefined) =>
    Object.fromEntries((goals ?? []).flatMap((g) => (g.subject === 'cluster' ? [[g.cluster, g.state]] : [])));

  beforeEach(async () => {
    await (await leader('ctl-a')).keep();
  });

  it('overtakes a leader that still lives, and freezes the group for the next', async () => {
    const alive = await leader('ctl-a');
    await alive.keep();
    const moved = moveTo('b');
    const late = { ...stranger(2, 'b'), term: alive.term };
    expect(await alive.publishing.publish(late, { expectedEpoch: 1, term: alive.term })).toMatchObject({ ok: false });
    expect(alive.leadership.heard).toContain(moved.term);
    const next = await leader('ctl-b');
    expect(await next.keep()).toBe('freeze');
    expect((await row()).frozen).toContain('break-glass to-b made b active');
    expect(await row()).toMatchObject({ active: 'b', epoch: 1_001, reservedEpoch: 1_001, rejoin: ['a'] });
    expect(pointer()).toEqual(moved);
  });

  it('turns the goals round: those of the store would close the cluster that the pointer names', async () => {
    moveTo('b');
    const next = await leader('ctl-b');
    await next.keep();
    expect(clusterGoals(next.told.at(-1))).toEqual({ a: 'fenced', b: 'open' });
    const flows = (await next.store.goals()).filter((g) => g.subject === 'flow');
    expect(flows.map((g) => g.state)).toEqual(['stopped', 'stopped']);
  });

  it('done once more while the group is frozen is followed too', async () => {
    moveTo('b');
    await (await leader('ctl-b')).keep();
    moveTo('a');
    const next = await leader('ctl-c');
    expect(await next.keep()).toBe('freeze');
    expect(await row()).toMatchObject({ active: 'a', epoch: 2_001, rejoin: ['b'] });
    expect(clusterGoals(next.told.at(-1))).toEqual({ a: 'open', b: 'fenced' });
    expect(await next.keep()).toBe('agree');
  });
});

describe('claims', () => {
  it('a leader of an older term is refused, hears the higher one, and publishes nothing', async () => {
    const old = await leader('ctl-a');
    await old.keep();
    const next = await leader('ctl-b');
    await next.keep();
    await expect(old.publishing.claim('orders', next.term - 1)).resolves.toBeUndefined(); // claimed in its own time
    const late = { ...stranger(2, 'b'), term: old.term };
    const result = await old.publishing.publish(late, { expectedEpoch: 1, term: old.term });
    expect(result).toMatchObject({ ok: false, reason: 'stale-term' });
    expect(old.leadership.heard).toContain(next.term);
    const restarted = await leader('ctl-c');
    await restarted.publishing.claim('orders', restarted.term);
    const behindHand = await leader('ctl-d');
    await main.open().claim('orders', 99);
    await expect(behindHand.publishing.claim('orders', behindHand.term)).rejects.toBeInstanceOf(ClaimLostError);
  });
});

it('a center that forgot the claim (restored from a backup) is claimed again', async () => {
  const l = await leader('ctl-a');
  await l.keep();
  main.put('orders', { current: pointer(), claimedTerm: 0 });
  const next: Pointer = { ...stranger(2, 'b'), term: l.term };
  expect(await l.publishing.publish(next, { expectedEpoch: 1, term: l.term })).toEqual({ ok: true });
});

describe('followers and the write canary', () => {
  it('a follower that is down is listed, never waited for, and brought along when it answers', async () => {
    second.stop();
    const l = await leader('ctl-a');
    await l.keep();
    expect(l.publishing.behind('orders')).toEqual(['second']);
    time.after(2_500, () => second.start());
    await time.runUntil(() => l.publishing.behind('orders').length === 0, 10_000);
    expect(pointer(second)).toEqual(pointer());
  });

  it('a canary each period while leading; a failure counts at once and lasts until a write succeeds', async () => {
    const l = await leader('ctl-a');
    expect(l.publishing.writable('orders')).toEqual({ ageMs: null, error: null });
    l.publishing.begin();
    await time.pass(1);
    expect(l.publishing.writable('orders')).toMatchObject({ error: null });
    main.refuseWrites = true;
    await time.pass(10_001);
    expect(l.publishing.writable('orders').error).not.toBeNull();
    main.refuseWrites = false;
    await time.pass(10_001);
    expect(l.publishing.writable('orders').error).toBeNull();
    expect(l.publishing.writable('orders').ageMs).toBeLessThanOrEqual(10_001);
    l.leadership.lost();
    await l.publishing.end();
  });
});

const newborn = newGroupRow({ name: 'orders', active: 'a', mode: 'auto' });
