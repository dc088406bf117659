import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakeProcess } from '../../../../test/fakes/fake-time.js';
import { FakeTime } from '../../../../test/fakes/fake-time.js';
import { MemoryAuthorityDatabase } from '../../../../test/fakes/memory-authority-database.js';
import type { LeadershipView } from './leadership.port.js';
import { LeaseLoop } from './lease-loop.js';

const TIMINGS = { ttlMs: 10_000, renewDeadlineMs: 6_000, retryMs: 2_000 };

type Instance = Readonly<{
  id: string;
  loop: LeaseLoop;
  process: FakeProcess;
  views: LeadershipView[];
  errors: unknown[];
}>;

let time: FakeTime;
let database: MemoryAuthorityDatabase;
let instances: Instance[];

beforeEach(() => {
  time = new FakeTime();
  database = new MemoryAuthorityDatabase();
  instances = [];
});

/** At no instant may two say that they lead: looked at after every advance, and at each change. */
function checkOneLeader(): void {
  expect(instances.filter((i) => !i.process.frozen && i.loop.current().leading).length).toBeLessThanOrEqual(1);
}

function instance(id: string): Instance {
  const process = time.process();
  const errors: unknown[] = [];
  const loop = new LeaseLoop({
    store: database.connect(id),
    me: { id, advertise: `http://${id}` },
    timings: TIMINGS,
    ...{ clock: process.clock, timers: process.timers, random: () => 0, onError: (e: unknown) => void errors.push(e) },
  });
  const made = { id, loop, process, views: [] as LeadershipView[], errors };
  loop.onChange((view) => {
    made.views.push(view);
    checkOneLeader();
  });
  instances.push(made);
  return made;
}

async function started(id: string): Promise<Instance> {
  const made = instance(id);
  made.loop.start();
  await time.advance(0);
  return made;
}

/** In steps of 100 ms. */
async function pass(ms: number): Promise<void> {
  for (let done = 0; done < ms; done += 100) {
    await time.advance(100);
    checkOneLeader();
  }
}

const lease = () => database.connect('test').readLease();
afterEach(() => checkOneLeader());

describe('taking', () => {
  it('takes a lease that nobody has at once, and keeps it', async () => {
    const a = await started('a');
    expect(a.loop.current()).toMatchObject({
      me: 'a',
      term: 1,
      leading: true,
      leader: { id: 'a', advertise: 'http://a' },
    });
    expect(a.loop.current().signal?.aborted).toBe(false);
    const before = (await lease()).renewals;
    await pass(60_000);
    expect((await lease()).renewals - before).toBe(30);
    expect(a.views).toHaveLength(1);
    expect(a.errors).toEqual([]);
  });

  it('is done by one of three; the others name it', async () => {
    const [a, b, c] = [await started('a'), await started('b'), await started('c')];
    await pass(30_000);
    expect(a.loop.current().leading).toBe(true);
    for (const standby of [b, c]) {
      expect(standby.loop.current()).toMatchObject({ leading: false, signal: null, term: 1, leader: { id: 'a' } });
    }
  });

  it('waits for the ttl on its own clock from when it saw the row, however old the row is', async () => {
    await database.connect('x').acquireLease(await lease(), { id: 'gone', advertise: 'http://gone' });
    await time.advance(3_600_000);
    const a = await started('a');
    expect(a.loop.current()).toMatchObject({ leading: false, leader: { id: 'gone' } });
    await pass(9_900);
    expect(a.loop.current().leading).toBe(false);
    await pass(200);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 2 });
  });

  it('waits for the ttl also when the row names itself: that was another process', async () => {
    await database.connect('x').acquireLease(await lease(), { id: 'a', advertise: 'http://a' });
    const a = await started('a');
    expect(a.loop.current()).toMatchObject({ leading: false, leader: null });
    await pass(10_100);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 2 });
  });

  it('happens within the ttl and a retry after the leader died', async () => {
    const a = await started('a');
    const b = await started('b');
    await pass(5_000);
    a.process.frozen = true;
    await pass(10_000 + 2_100);
    expect(b.loop.current()).toMatchObject({ leading: true, term: 2 });
  });

  it('happens at the next retry after a planned stop', async () => {
    const a = await started('a');
    const b = await started('b');
    await pass(4_500);
    const { signal } = a.loop.current();
    const stopping = a.loop.stop();
    expect(a.loop.current()).toMatchObject({ leading: false, signal: null });
    expect(signal?.aborted).toBe(true);
    await stopping;
    await pass(2_000);
    expect(b.loop.current()).toMatchObject({ leading: true, term: 2 });
  });
});

describe('losing', () => {
  it('ends at the renew deadline when the store is away, and comes back in the same term if nobody took it', async () => {
    const a = await started('a');
    await pass(1_000);
    const { signal } = a.loop.current();
    database.stop();
    await pass(4_900);
    expect(a.loop.current().leading).toBe(true);
    await pass(100);
    expect(a.loop.current()).toMatchObject({ leading: false, leader: null, term: 1 });
    expect(signal?.aborted).toBe(true);
    expect(a.errors.length).toBeGreaterThan(1);
    await pass(3_600_000 / 10);
    database.start();
    await pass(2_100);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 1 });
    expect(a.loop.current().signal?.aborted).toBe(false);
  });

  it('aborts the signal by a timer, without anybody asking', async () => {
    const a = await started('a');
    const { signal } = a.loop.current();
    database.stop();
    await time.advance(5_999);
    expect(signal?.aborted).toBe(false);
    await time.advance(1);
    expect(signal?.aborted).toBe(true);
    expect(a.views.map((v) => v.leading)).toEqual([true, false]);
  });

  it('counts the deadline from before a slow renewal was sent', async () => {
    const a = await started('a');
    const hold = database.holdNext('lease-answer', 'a');
    await time.advance(2_000);
    await hold.reached;
    await time.advance(3_900);
    expect(a.loop.current().leading).toBe(true);
    await time.advance(100); // the deadline of the first one; the answer is still on its way
    expect(a.loop.current().leading).toBe(false);
    hold.release();
    await time.advance(1); // sent at 2 s: good until 8 s
    expect(a.loop.current().leading).toBe(true);
    database.stop();
    await time.advance(1_998);
    expect(a.loop.current().leading).toBe(true);
    await time.advance(2);
    expect(a.loop.current().leading).toBe(false);
  });

  it('does not lead by a renewal whose answer comes after its own deadline', async () => {
    const a = await started('a');
    const hold = database.holdNext('lease-answer', 'a');
    await time.advance(2_000);
    await hold.reached;
    time.block(6_000);
    hold.release();
    const views = a.views.length;
    await time.advance(0);
    // Late answer, then one more renewal at once: only that one counts.
    expect(a.views.slice(views).map((v) => v.leading)).toEqual([false, true]);
    expect((await lease()).renewals).toBeGreaterThanOrEqual(3);
  });

  it('is noticed by a frozen leader at its first look, before any timer fired', async () => {
    const a = await started('a');
    const b = await started('b');
    await pass(4_000);
    const { signal } = a.loop.current();
    a.process.frozen = true;
    await pass(13_000);
    expect(b.loop.current()).toMatchObject({ leading: true, term: 2 });
    expect(a.loop.current()).toMatchObject({ leading: false, signal: null });
    expect(signal?.aborted).toBe(true);
    a.process.frozen = false;
    await pass(5_000);
    expect(a.loop.current()).toMatchObject({ leading: false, term: 2, leader: { id: 'b' } });
  });

  it('happens to a leader that is cut off, before another can take it', async () => {
    const a = await started('a');
    const b = await started('b');
    await pass(3_000);
    database.partition('a');
    await pass(5_000);
    expect(a.loop.current().leading).toBe(false);
    expect(b.loop.current().leading).toBe(false);
    await pass(7_000);
    expect(b.loop.current()).toMatchObject({ leading: true, term: 2 });
    database.heal('a');
    await pass(3_000);
    expect(a.loop.current()).toMatchObject({ leading: false, leader: { id: 'b' }, term: 2 });
  });

  it('keeps trying when a taking or renewing was done and not told', async () => {
    database.failNext('lease-answer', 'a'); // readLease has no such place: this is the acquire
    const a = await started('a');
    expect(a.loop.current().leading).toBe(false);
    await pass(12_000);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 2 });
    database.failNext('lease-answer', 'a');
    await pass(10_000);
    expect(a.views.map((v) => [v.leading, v.term])).toEqual([
      [false, 1],
      [true, 2],
    ]);
  });
});

describe('a blocked event loop', () => {
  it('starts nothing after more than a quarter of the deadline, before it has renewed', async () => {
    const a = await started('a');
    const { signal } = a.loop.current();
    time.block(1_501);
    expect(a.loop.current()).toMatchObject({ leading: false, signal: null });
    expect(signal?.aborted).toBe(false); // nothing was lost: what runs may end
    const before = (await lease()).renewals;
    await time.advance(0);
    expect((await lease()).renewals).toBe(before + 1);
    expect(a.loop.current().leading).toBe(true);
    expect(a.loop.current().signal).toBe(signal);
  });

  it('is no matter below that', async () => {
    const a = await started('a');
    await time.advance(1_000);
    time.block(1_000);
    expect(a.loop.current().leading).toBe(true);
    await pass(5_000);
    expect(a.views).toHaveLength(1);
  });

  it('ends it at once when the deadline passed meanwhile', async () => {
    const a = await started('a');
    const { signal } = a.loop.current();
    time.block(6_000);
    expect(signal?.aborted).toBe(false); // no timer could fire
    expect(a.loop.current().leading).toBe(false);
    expect(signal?.aborted).toBe(true);
  });
});

describe('a higher term', () => {
  it('makes the leader stop at once, raise the row above it and lead on', async () => {
    const a = await started('a');
    await started('b');
    await pass(3_000);
    const { signal } = a.loop.current();
    a.loop.heardTerm(41);
    expect(a.loop.current()).toMatchObject({ leading: false, term: 41 });
    expect(signal?.aborted).toBe(true);
    await pass(100);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 42 });
    expect(await lease()).toMatchObject({ term: 42, holder: 'a' });
  });

  it('heard by a standby raises the row; the leader takes its own lease again without a gap for others', async () => {
    const a = await started('a');
    const b = await started('b');
    await pass(3_000);
    b.loop.heardTerm(41);
    await pass(2_100);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 42 });
    expect(b.loop.current()).toMatchObject({ leading: false, term: 42, leader: { id: 'a' } });
  });

  it('raised over a leader that is cut off lets the others wait for the ttl', async () => {
    const a = await started('a');
    const b = await started('b');
    await pass(3_000);
    database.partition('a');
    b.loop.heardTerm(41);
    await pass(6_000);
    expect(b.loop.current().leading).toBe(false);
    await pass(4_200);
    expect(b.loop.current()).toMatchObject({ leading: true, term: 42 });
    expect(a.loop.current().leading).toBe(false);
  });

  it('is raised before the first lease, and no matter if lower or absurd', async () => {
    const a = instance('a');
    a.loop.heardTerm(7);
    a.loop.start();
    await pass(100);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 8 });
    for (const term of [8, 3, 2 ** 53, -1, Number.NaN]) a.loop.heardTerm(term);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 8 });
    expect(a.errors).toHaveLength(2);
  });
});

it('tells other listeners when one throws, and stops telling who left', async () => {
  const a = instance('a');
  const told: number[] = [];
  a.loop.onChange(() => {
    throw new Error('listener');
  });
  const leave = a.loop.onChange((view) => void told.push(view.term));
  a.loop.start();
  await pass(100);
  expect(told).toEqual([1]);
  expect(a.errors).toEqual([new Error('listener')]);
  leave();
  a.loop.heardTerm(9);
  await pass(100);
  expect(told).toEqual([1]);
});
