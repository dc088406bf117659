import { beforeEach, describe, expect, it } from 'vitest';
import type { PendingAlert } from '../../persistence/alerts.port.js';
import { aDelivery } from './delivery-queue.conformance.js';
import { OutboxWalk } from './outbox-walk.js';

const PAGE = 3;

let rows: number[];
let reads: number[];
let taken: number[];
/** What each receiver was handed, in order, and how much more it can hold. */
let handed: Record<string, number[]>;
let room: Record<string, number>;
let settled: Set<number>;
let broken: number | null;
let walk: OutboxWalk;

const row = (seq: number): PendingAlert => ({
  ...{ alert: aDelivery(`${seq}`).alert, seq, resends: 0, settledAt: null, deliveries: [] },
});

function hand(to: string, seq: number): boolean {
  const has = handed[to] ?? [];
  if (has.includes(seq)) return true;
  if ((room[to] ?? 0) === 0) return false;
  room[to] = (room[to] ?? 0) - 1;
  handed[to] = [...has, seq];
  return true;
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

beforeEach(() => {
  rows = upTo(10);
  [reads, taken, handed, settled, broken] = [[], [], { slow: [], quick: [] }, new Set(), null];
  room = { slow: 2, quick: 1_000 };
  walk = new OutboxWalk(['slow', 'quick'], PAGE, {
    read: async (limit, after) => {
      reads.push(after);
      return rows
        .filter((seq) => seq > after && !settled.has(seq))
        .slice(0, limit)
        .map(row);
    },
    take: async ({ seq }, mayHave) => {
      if (seq === broken) throw new Error('no store');
      taken.push(seq);
      const owed = ['slow', 'quick'].filter(mayHave);
      return { open: true, refused: owed.filter((to) => !hand(to, seq)) };
    },
    hasRoom: (to) => (room[to] ?? 0) > 0,
  });
});

describe('the way through the outbox', () => {
  it('a receiver that takes nothing more keeps no other from what is behind it', async () => {
    await walk.look();
    expect(handed).toEqual({ slow: [1, 2], quick: upTo(10) });
    rows.push(11);
    await walk.look();
    expect(handed['quick']).toEqual(upTo(11));
    expect(walk.open()).toBe(11);
  });

  it('one that has room again goes on from where it stood, in order, and nothing is left out', async () => {
    await walk.look();
    for (let round = 0; round < 4; round += 1) {
      room['slow'] = 2;
      await walk.look();
    }
    expect(handed['slow']).toEqual(upTo(10));
    expect(handed['quick']).toEqual(upTo(10));
  });

  it('costs a page that is looked at again, in turn, and a question for what is new', async () => {
    await walk.look();
    [reads, taken] = [[], []];
    for (let looks = 1; looks <= 4; looks += 1) {
      await walk.look();
      expect(reads.length).toBeLessThanOrEqual(2 * looks);
    }
    expect(new Set(taken)).toEqual(new Set(upTo(10)));
  });

  it('reads an outbox of less than a page once', async () => {
    rows = [1, 2];
    await walk.look();
    expect(reads).toEqual([0]);
    expect(handed).toEqual({ slow: [1, 2], quick: [1, 2] });
  });

  it('hands again what a receiver lost of the rows that it was handed', async () => {
    await walk.look();
    handed['quick'] = [];
    for (let looks = 1; looks <= 4; looks += 1) await walk.look();
    expect(new Set(handed['quick'])).toEqual(new Set(upTo(10)));
  });

  it('goes on where the store broke off', async () => {
    broken = 5;
    await expect(walk.look()).rejects.toThrow('no store');
    expect(handed['quick']).toEqual(upTo(4));
    broken = null;
    await walk.look();
    expect(handed['quick']).toEqual(upTo(10));
  });

  it('counts what is owed, once round, and begins anew for another leader', async () => {
    await walk.look();
    for (const seq of [1, 2, 3, 9]) settled.add(seq);
    for (let looks = 1; looks <= 8; looks += 1) await walk.look();
    expect(walk.open()).toBe(6);
    walk.forget();
    expect(walk.open()).toBe(0);
    handed = { slow: [], quick: [] };
    await walk.look();
    expect(handed['quick']).toEqual([4, 5, 6, 7, 8, 10]);
  });
});
