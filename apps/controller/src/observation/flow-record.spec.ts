import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowFacts, PartitionLag } from '#failover';
import { FlowBook } from '../../../agent/src/observe/flow-book.js';
import { FlowRecord } from './flow-record.js';

const factsOf = (perPartition: readonly PartitionLag[]): FlowFacts => ({
  from: 'a',
  to: 'b',
  lagRecords: 1,
  lagMs: 10,
  heartbeatAgeMs: 500,
  observedAgeMs: 20,
  sourceConnector: 'RUNNING',
  checkpointConnector: 'RUNNING',
  perPartition,
});

/** Per round: which of four partitions exist, which were read again, and by how much they moved. */
const anyRounds = fc.array(
  fc.record({
    there: fc.uniqueArray(fc.nat({ max: 3 })),
    read: fc.uniqueArray(fc.nat({ max: 3 })),
    moved: fc.nat({ max: 2 }),
    reported: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

describe('a flow sent as changes', () => {
  it('is at the controller what it is at the agent, whichever reports were skipped', () => {
    fc.assert(
      fc.property(anyRounds, (rounds) => {
        let at = 1_000;
        const values = new Map<number, { end: number; atMs: number }>();
        let book: FlowBook | null = null;
        let record: FlowRecord | null = null;
        let sent = 0;
        for (const [i, round] of rounds.entries()) {
          at += 2_000;
          for (const p of round.there) {
            const known = values.get(p);
            if (known === undefined || round.read.includes(p)) {
              values.set(p, { end: (known?.end ?? 0) + round.moved, atMs: at + 1 });
            }
          }
          const agesAtMs = at + 5;
          const lags = round.there.map((partition): PartitionLag => {
            const { end, atMs } = values.get(partition)!;
            const ageMs = agesAtMs - atMs;
            return {
              topic: 'orders',
              partition,
              sourceEnd: end,
              replicated: null,
              sourceEndAgeMs: ageMs,
              replicatedAgeMs: null,
            };
          });
          if (book === null) book = new FlowBook({ group: 'orders', facts: factsOf(lags) }, at, agesAtMs, i + 1);
          else book.put(factsOf(lags), at, agesAtMs, i + 1);
          if (!round.reported) continue;
          const update = book.update(sent, false, at + 10);
          sent = i + 1;
          if (record === null) record = new FlowRecord(update, at + 10);
          else record.put(update, at + 10);
          const got = record.facts(at + 10).perPartition.toSorted((x, y) => x.partition - y.partition);
          const want = lags.toSorted((x, y) => x.partition - y.partition);
          expect(got.map((l) => [l.partition, l.sourceEnd])).toEqual(want.map((l) => [l.partition, l.sourceEnd]));
          for (const [n, lag] of got.entries()) {
            const trueAgeMs = (want[n]?.sourceEndAgeMs ?? 0) + 5;
            // Never younger than the truth, and never older than the round that read it.
            expect(lag.sourceEndAgeMs).toBeGreaterThanOrEqual(trueAgeMs);
            expect(lag.sourceEndAgeMs).toBeLessThanOrEqual(trueAgeMs + 1);
          }
        }
      }),
    );
  });

  it('sends an unchanged partition once', () => {
    const lag: PartitionLag = {
      topic: 'orders',
      partition: 0,
      sourceEnd: 5,
      replicated: 5,
      sourceEndAgeMs: 1,
      replicatedAgeMs: 1,
    };
    const book = new FlowBook({ group: 'orders', facts: factsOf([lag]) }, 1_000, 1_003, 1);
    expect(book.update(0, false, 1_010).partitions).toHaveLength(1);
    book.put(factsOf([lag]), 3_000, 3_003, 2);
    expect(book.update(1, false, 3_010)).toMatchObject({ whole: false, partitions: [], roundAgeMs: 10 });
    expect(book.update(1, true, 3_010)).toMatchObject({ whole: true, partitions: [{ sourceEndCurrent: true }] });
  });

  it('tells when the source grew, by the round in which that was seen', () => {
    const lagOf = (sourceEnd: number): PartitionLag => ({
      topic: 'orders',
      partition: 0,
      sourceEnd,
      replicated: null,
      sourceEndAgeMs: 1,
      replicatedAgeMs: null,
    });
    const book = new FlowBook({ group: 'orders', facts: factsOf([lagOf(5)]) }, 1_000, 1_003, 1);
    const record = new FlowRecord(book.update(0, false, 1_010), 500_010);
    expect(record.facts(500_100).sourceGrewAgeMs).toBeUndefined(); // what was there before nobody wrote now
    book.put(factsOf([lagOf(6)]), 3_000, 3_003, 2);
    record.put(book.update(0, true, 3_010), 502_010);
    expect(record.facts(502_110).sourceGrewAgeMs).toBe(110);
    book.put(factsOf([lagOf(2)]), 5_000, 5_003, 3); // made anew: nothing grew
    record.put(book.update(2, false, 5_010), 504_010);
    expect(record.facts(504_110).sourceGrewAgeMs).toBe(2_110);
  });

  it('ages with this process, not with the values', () => {
    const book = new FlowBook({ group: 'orders', facts: factsOf([]) }, 1_000, 1_003, 1);
    const record = new FlowRecord(book.update(0, false, 1_010), 500_000);
    expect(record.facts(500_100)).toMatchObject({ observedAgeMs: 127, heartbeatAgeMs: 607, lagRecords: 1 });
    expect(record.ageMs(500_100)).toBe(110);
  });
});
