import { describe, expect, it } from 'vitest';
import { countRecords, readCommitted } from './count-records.js';
import { Budget, type FetchReply } from './routed-calls.js';

type Part = FetchReply['responses'][number]['partitions'][number];
type Batch = NonNullable<Part['records']>[number];

const TRANSACTIONAL = 16;
const CONTROL = 32;

const batch = (first: number, count: number, attributes = 0, producer = 7): Batch =>
  ({
    firstOffset: BigInt(first),
    lastOffsetDelta: count - 1,
    attributes,
    producerId: BigInt(producer),
    records: Array.from({ length: count }, (_, offsetDelta) => ({ offsetDelta })),
  }) as unknown as Batch;

const part = (records: readonly Batch[], stable: number, aborted: readonly (readonly [number, number])[] = []): Part =>
  ({
    partitionIndex: 0,
    lastStableOffset: BigInt(stable),
    abortedTransactions: aborted.map(([producer, first]) => ({
      producerId: BigInt(producer),
      firstOffset: BigInt(first),
    })),
    records,
  }) as unknown as Part;

describe('what is left to read, committed', () => {
  it('counts data inside the range only', () => {
    expect(readCommitted(part([batch(0, 5), batch(5, 5)], 10), 3, 7)).toEqual({ records: 4, nextOffset: 10 });
  });

  it('a commit marker at the end is no record', () => {
    const marker = batch(10, 1, TRANSACTIONAL | CONTROL);
    expect(readCommitted(part([marker], 11), 10, 11)).toEqual({ records: 0, nextOffset: 11 });
  });

  it('records of an aborted transaction are none; those after its marker are', () => {
    const log = [
      batch(0, 2, TRANSACTIONAL),
      batch(2, 1, TRANSACTIONAL | CONTROL),
      batch(3, 2, TRANSACTIONAL),
      batch(5, 1, TRANSACTIONAL | CONTROL),
    ];
    expect(readCommitted(part(log, 6, [[7, 0]]), 0, 6)).toEqual({ records: 2, nextOffset: 6 });
  });

  it('another producer is not taken for the aborted one', () => {
    const log = [batch(0, 1, TRANSACTIONAL, 7), batch(1, 1, TRANSACTIONAL, 8), batch(2, 1, 0, 7)];
    expect(readCommitted(part(log, 3, [[7, 0]]), 0, 3)).toEqual({ records: 2, nextOffset: 3 });
  });

  it('an open transaction stops the read and is said', async () => {
    const answers = [part([batch(4, 2)], 6), part([], 6)];
    const calls = {
      fetchCommitted: async () =>
        ({ responses: [{ partitions: [answers.shift() ?? part([], 6)] }] }) as unknown as FetchReply,
    };
    const counted = await countRecords(calls, [{ topic: 'orders', partition: 0, from: 4, to: 9 }], new Budget(1_000));
    expect(counted).toEqual([{ topic: 'orders', partition: 0, records: 2, openFrom: 6 }]);
  });
});
