import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LeaseWorld } from '../../../../test/fakes/lease-world.js';

let world: LeaseWorld;
beforeEach(() => {
  world = new LeaseWorld();
});
afterEach(() => world.checkOneLeader());

describe('a blocked event loop', () => {
  it('starts nothing after more than a quarter of the deadline, before it has renewed', async () => {
    const a = await world.started('a');
    const { signal } = a.loop.current();
    world.time.block(1_501);
    expect(a.loop.current()).toMatchObject({ leading: false, signal: null });
    expect(signal?.aborted).toBe(false); // nothing was lost: what runs may end
    const before = (await world.lease()).renewals;
    await world.time.advance(0);
    expect((await world.lease()).renewals).toBe(before + 1);
    expect(a.loop.current().leading).toBe(true);
    expect(a.loop.current().signal).toBe(signal);
  });

  it('is no matter below that', async () => {
    const a = await world.started('a');
    await world.time.advance(1_000);
    world.time.block(1_000);
    expect(a.loop.current().leading).toBe(true);
    await world.pass(5_000);
    expect(a.views).toHaveLength(1);
  });

  it('ends it at once when the deadline passed meanwhile', async () => {
    const a = await world.started('a');
    const { signal } = a.loop.current();
    world.time.block(6_000);
    expect(signal?.aborted).toBe(false); // no timer could fire
    expect(a.loop.current().leading).toBe(false);
    expect(signal?.aborted).toBe(true);
  });
});

describe('a store that came back with an earlier state', () => {
  it('uses no term twice: the row is raised above the highest that was seen', async () => {
    const a = await world.started('a');
    await world.started('b');
    a.loop.heardTerm(9);
    await world.pass(3_000);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 10 });
    world.database.tables.lease = { term: 4, holder: null, advertise: null, renewals: 1 };
    await world.pass(30_000);
    expect((await world.lease()).term).toBeGreaterThan(10);
    expect((await world.lease()).holder).not.toBeNull();
  });
});

describe('a higher term', () => {
  it('makes the leader stop at once, raise the row above it and lead on', async () => {
    const a = await world.started('a');
    await world.started('b');
    await world.pass(3_000);
    const { signal } = a.loop.current();
    a.loop.heardTerm(41);
    expect(a.loop.current()).toMatchObject({ leading: false, term: 41 });
    expect(signal?.aborted).toBe(true);
    await world.pass(100);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 42 });
    expect(await world.lease()).toMatchObject({ term: 42, holder: 'a' });
  });

  it('heard by a standby raises the row; the leader takes its own lease again without a gap for others', async () => {
    const a = await world.started('a');
    const b = await world.started('b');
    await world.pass(3_000);
    b.loop.heardTerm(41);
    await world.pass(2_100);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 42 });
    expect(b.loop.current()).toMatchObject({ leading: false, term: 42, leader: { id: 'a' } });
  });

  it('raised over a leader that is cut off lets the others wait for the ttl', async () => {
    const a = await world.started('a');
    const b = await world.started('b');
    await world.pass(3_000);
    world.database.partition('a');
    b.loop.heardTerm(41);
    await world.pass(6_000);
    expect(b.loop.current().leading).toBe(false);
    await world.pass(4_200);
    expect(b.loop.current()).toMatchObject({ leading: true, term: 42 });
    expect(a.loop.current().leading).toBe(false);
  });

  it('ends the leading at once also while a renewal is under way, which then counts for nothing', async () => {
    const a = await world.started('a');
    const hold = world.database.holdNext('lease-answer', 'a');
    await world.time.advance(2_000);
    await hold.reached;
    a.loop.heardTerm(41);
    expect(a.loop.current()).toMatchObject({ leading: false, signal: null });
    hold.release();
    await world.pass(100);
    expect(a.views.map((v) => [v.leading, v.term])).toEqual([
      [true, 1],
      [false, 41],
      [true, 42],
    ]);
  });

  it('raised over another leader is not taken for raised over me, even if both advertise the same address', async () => {
    const a = await world.started('a', 'http://same');
    const b = await world.started('b', 'http://same');
    await world.pass(3_000);
    world.database.partition('a');
    await world.pass(13_000);
    expect(b.loop.current()).toMatchObject({ leading: true, term: 2 });
    world.database.partition('b');
    await world.database.connect('test').raiseTerm(41);
    world.database.heal('a');
    await world.pass(3_000);
    expect(a.loop.current()).toMatchObject({ leading: false, term: 41 });
  });

  it('is raised before the first lease, and no matter if lower or absurd', async () => {
    const a = world.instance('a');
    a.loop.heardTerm(7);
    a.loop.start();
    await world.pass(100);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 8 });
    for (const term of [8, 3, 2 ** 53, -1, Number.NaN]) a.loop.heardTerm(term);
    expect(a.loop.current()).toMatchObject({ leading: true, term: 8 });
    expect(a.errors).toHaveLength(2);
  });
});

it('tells other listeners when one throws, and stops telling who left', async () => {
  const a = world.instance('a');
  const told: number[] = [];
  a.loop.onChange(() => {
    throw new Error('listener');
  });
  const leave = a.loop.onChange((view) => void told.push(view.term));
  a.loop.start();
  await world.pass(100);
  expect(told).toEqual([1]);
  expect(a.errors).toEqual([new Error('listener')]);
  leave();
  a.loop.heardTerm(9);
  await world.pass(100);
  expect(told).toEqual([1]);
});
