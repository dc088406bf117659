import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LeaseWorld } from '../../../../test/fakes/lease-world.js';

let world: LeaseWorld;
beforeEach(() => {
  world = new LeaseWorld();
});
afterEach(() => world.checkOneLeader());

describe('taking', () => {
  it('takes a lease that nobody has at once, and keeps it', async () => {
    const a = await world.started('a');
    expect(a.loop.current()).toMatchObject({
      me: 'a',
      term: 1,
      leading: true,
      leader: { id: 'a', advertise: 'http://a' },
    });
    expect(a.loop.current().signal?.aborted).toBe(false);
    const before = (await world.lease()).renewals;
    await world.pass(60_000);
    expect((await world.lease()).renewals - before).toBe(30);
    expect(a.views).toHaveLength(1);
    expect(a.errors).toEqual([]);
  });

  it('is done by one of three; the others name it', async () => {
    const [a, b, c] = [await world.started('a'), await world.started('b'), await world.started('c')];
    await world.pass(30_000);
    expect(a.loop.current().leading).toBe(true);
    for (const standby of [b, c]) {
      expect(standby.loop.current()).toMatchObject({ leading: false, signal: null, term: 1, leader: { id: 'a' } });
    }
  });

  it('waits for the ttl on its own clock from when it saw the row, however old the row is', async () => {
    await world.database.connect('x').acquireLease(await world.lease(), { id: 'gone', advertise: 'http://gone' });
    await world.time.advance(3_600_000);
    const a = await world.started('a');
    expect(a.loop.current()).toMatchObject({ leading: false, leader: { id: 'gone' } });
    await world.pass(9_900);
    expect(a.loop.current().leading).toBe(false);
    await world.pass(200);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 2 });
  });

  it('waits for the ttl also when the row names itself: that was another process', async () => {
    await world.database.connect('x').acquireLease(await world.lease(), { id: 'a', advertise: 'http://a' });
    const a = await world.started('a');
    expect(a.loop.current()).toMatchObject({ leading: false, leader: null });
    await world.pass(10_100);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 2 });
  });

  it('happens within the ttl and a retry after the leader died', async () => {
    const a = await world.started('a');
    const b = await world.started('b');
    await world.pass(5_000);
    a.process.frozen = true;
    await world.pass(10_000 + 2_100);
    expect(b.loop.current()).toMatchObject({ leading: true, term: 2 });
  });

  it('happens at the next retry after a planned stop', async () => {
    const a = await world.started('a');
    const b = await world.started('b');
    await world.pass(4_500);
    const { signal } = a.loop.current();
    const stopping = a.loop.stop();
    expect(a.loop.current()).toMatchObject({ leading: false, signal: null });
    expect(signal?.aborted).toBe(true);
    await stopping;
    await world.pass(2_000);
    expect(b.loop.current()).toMatchObject({ leading: true, term: 2 });
  });
});

describe('losing', () => {
  it('ends at the renew deadline when the store is away, and comes back in a new term if nobody took it', async () => {
    const a = await world.started('a');
    await world.pass(1_000);
    const { signal } = a.loop.current();
    world.database.stop();
    await world.pass(4_900);
    expect(a.loop.current().leading).toBe(true);
    await world.pass(100);
    expect(a.loop.current()).toMatchObject({ leading: false, leader: null, term: 1 });
    expect(signal?.aborted).toBe(true);
    expect(a.errors.length).toBeGreaterThan(1);
    await world.pass(3_600_000 / 10);
    world.database.start();
    await world.pass(2_100);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 2 });
    expect(a.loop.current().signal?.aborted).toBe(false);
    // Whoever follows by term takes over again: nothing of the ended spell has a driver any more.
    expect(a.views.map((v) => [v.leading, v.term])).toEqual([
      [true, 1],
      [false, 1],
      [true, 2],
    ]);
  });

  it('aborts the signal by a timer, without anybody asking', async () => {
    const a = await world.started('a');
    const { signal } = a.loop.current();
    await world.time.advance(2_000); // renewed: good until 8 s, which is no beat
    world.database.stop();
    await world.time.advance(5_999);
    expect(signal?.aborted).toBe(false);
    await world.time.advance(1);
    expect(signal?.aborted).toBe(true);
    expect(a.views.map((v) => v.leading)).toEqual([true, false]);
  });

  it('counts the deadline from before a slow renewal was sent', async () => {
    const a = await world.started('a');
    const hold = world.database.holdNext('lease-answer', 'a');
    await world.time.advance(2_000);
    await hold.reached;
    await world.time.advance(3_900);
    expect(a.loop.current().leading).toBe(true);
    hold.release();
    await world.time.advance(101); // past the deadline of the first one; sent at 2 s: good until 8 s
    expect(a.loop.current()).toMatchObject({ leading: true, term: 1 });
    world.database.stop();
    await world.time.advance(1_998);
    expect(a.loop.current().leading).toBe(true);
    await world.time.advance(2);
    expect(a.loop.current().leading).toBe(false);
  });

  it('ends while a renewal is on its way, and leads on in a new term when it arrives', async () => {
    const a = await world.started('a');
    const hold = world.database.holdNext('lease-answer', 'a');
    await world.time.advance(2_000);
    await hold.reached;
    await world.time.advance(4_000);
    expect(a.loop.current().leading).toBe(false);
    hold.release();
    await world.time.advance(1);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 2 });
    expect(await world.lease()).toMatchObject({ term: 2, holder: 'a' });
  });

  it('does not lead by a renewal whose answer comes after its own deadline', async () => {
    const a = await world.started('a');
    const hold = world.database.holdNext('lease-answer', 'a');
    await world.time.advance(2_000);
    await hold.reached;
    world.time.block(6_000);
    hold.release();
    const views = a.views.length;
    await world.time.advance(0);
    // Late answer, then one more renewal at once: only that one counts.
    expect(a.views.slice(views).map((v) => v.leading)).toEqual([false, true]);
    expect((await world.lease()).renewals).toBeGreaterThanOrEqual(3);
  });

  it('is noticed by a frozen leader at its first look, before any timer fired', async () => {
    const a = await world.started('a');
    const b = await world.started('b');
    await world.pass(4_000);
    const { signal } = a.loop.current();
    a.process.frozen = true;
    await world.pass(13_000);
    expect(b.loop.current()).toMatchObject({ leading: true, term: 2 });
    expect(a.loop.current()).toMatchObject({ leading: false, signal: null });
    expect(signal?.aborted).toBe(true);
    a.process.frozen = false;
    await world.pass(5_000);
    expect(a.loop.current()).toMatchObject({ leading: false, term: 2, leader: { id: 'b' } });
  });

  it('happens to a leader that is cut off, before another can take it', async () => {
    const a = await world.started('a');
    const b = await world.started('b');
    await world.pass(3_000);
    world.database.partition('a');
    await world.pass(5_000);
    expect(a.loop.current().leading).toBe(false);
    expect(b.loop.current().leading).toBe(false);
    await world.pass(7_000);
    expect(b.loop.current()).toMatchObject({ leading: true, term: 2 });
    world.database.heal('a');
    await world.pass(3_000);
    expect(a.loop.current()).toMatchObject({ leading: false, leader: { id: 'b' }, term: 2 });
  });

  it('keeps trying when a taking or renewing was done and not told', async () => {
    world.database.failNext('lease-answer', 'a'); // readLease has no such place: this is the acquire
    const a = await world.started('a');
    expect(a.loop.current().leading).toBe(false);
    await world.pass(12_000);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 2 });
    world.database.failNext('lease-answer', 'a');
    await world.pass(10_000);
    expect(a.views.map((v) => [v.leading, v.term])).toEqual([
      [false, 1],
      [true, 2],
    ]);
  });
});
