import { describe, expect, it } from 'vitest';
import type { JournalEntry, SagaRecord } from '#failover';
import { aSaga, anEntry } from '../persistence/conformance/builders.js';
import { presentSwitch, switchEpoch } from './present-switch.js';

type Of = Pick<SagaRecord, 'fromEpoch' | 'epoch'> & Partial<SagaRecord>;

const saga = (of: Of, ...journal: readonly Omit<JournalEntry, 'seq'>[]): SagaRecord => ({
  ...aSaga(`saga-${of.epoch}`, 'orders', of),
  journal: journal.map((entry, i) => ({ ...entry, seq: i + 1 })),
});
const moved = (of: Of): SagaRecord => saga(of, anEntry('publish', 'intent'), anEntry('publish', 'done'));
/** Froze its position, may have published, and walked back. */
const walkedBack = (of: Of, undo: number, step: 'publish' | 'drain' = 'publish'): SagaRecord =>
  saga(of, anEntry(step, 'intent'), { ...anEntry(step, 'intent'), direction: 'undo', evidence: { epoch: undo } });
const back = { source: 'b', target: 'a', kind: 'failback' } as const;

/** Newest first, as a store gives them. */
const storeOf = (...oldestFirst: readonly SagaRecord[]) => {
  const asked: number[] = [];
  const newestFirst = oldestFirst.toReversed();
  return {
    asked,
    sagas: async (_group: string, limit: number) => {
      asked.push(limit);
      return newestFirst.slice(0, limit);
    },
  };
};
const b = (epoch: number) => ({ group: 'orders', active: 'b', epoch });

describe('the saga by which the active cluster became active', () => {
  const there = moved({ fromEpoch: 1, epoch: 3 });
  const home = moved({ fromEpoch: 3, epoch: 10, ...back });

  it.each([
    ['published it', b(3), [there], 3],
    ['lost the answer to its publication, and was found in the center', b(3), [saga(there, there.journal[0]!)], 3],
    ['lies behind a rejoin, which publishes nothing', b(3), [there, saga({ fromEpoch: 3, epoch: 4, ...back })], 3],
    ['lies behind another that walked back', b(9), [there, walkedBack({ fromEpoch: 3, epoch: 8, ...back }, 9)], 3],
    [
      'lies behind a HOLD that nobody took back',
      b(5),
      [there, saga({ ...back, fromEpoch: 3, epoch: 9 }, anEntry('drain', 'intent'))],
      3,
    ],
    ['is the newer of two', b(12), [there, home, moved({ fromEpoch: 10, epoch: 12 })], 12],
    ['is none: the group was created so', { ...b(1), active: 'a' }, [], null],
    [
      'is none: one walked back since the creation',
      { ...b(4), active: 'a' },
      [walkedBack({ fromEpoch: 1, epoch: 3 }, 4)],
      null,
    ],
    ['is none: break-glass did it, after an older switch and the way home', b(1_010), [there, home], null],
    [
      'is none: a switch away from it that walked back does not hide the break-glass before',
      b(1_017),
      [there, home, walkedBack({ fromEpoch: 1_010, epoch: 1_016, ...back }, 1_017)],
      null,
    ],
    ['is none: break-glass there and back', b(2_003), [there], null],
    [
      'is none: a stranger took the epoch of a saga that never published',
      b(4),
      [saga({ fromEpoch: 1, epoch: 4 })],
      null,
    ],
  ] as const)('%s', async (_name, at, sagas, epoch) => {
    expect(await switchEpoch(storeOf(...sagas), at)).toBe(epoch);
  });

  it('is found behind any number of attempts since, and not looked for where none can be', async () => {
    const attempts = Array.from({ length: 120 }, (_, i) => saga({ fromEpoch: 3, epoch: 4 + i, ...back }));
    const store = storeOf(there, ...attempts);
    expect(await switchEpoch(store, b(3))).toBe(3);
    expect(store.asked).toEqual([50, 100, 200]);
    const moved = storeOf(there, ...attempts);
    expect(await switchEpoch(moved, b(1_003))).toBeNull();
    expect(moved.asked).toEqual([50]);
  });

  it('has its own rows of the ledger, and only between the two', async () => {
    const row = {
      group: 'orders',
      from: 'a',
      to: 'b',
      topic: 't',
      partition: 0,
      n: 1,
      sourceEnd: 9,
      sourceEndAgeMs: 0,
    };
    const rows = [
      { ...row, epoch: 3, s: 2 },
      { ...row, epoch: 7, s: 5 },
    ];
    const ledger = async (_group: string, epoch?: number) => rows.filter((r) => r.epoch === epoch);
    const store = { ...storeOf(there, saga({ fromEpoch: 3, epoch: 7 })), ledger };
    expect(await presentSwitch(store, b(3), 'a')).toEqual({ epoch: 3, from: 'a', to: 'b', rows: [rows[0]] });
    expect(await presentSwitch(store, b(3), 'c')).toBeNull();
    expect(await presentSwitch(store, b(1_003), 'a')).toBeNull();
  });
});
