import { pause } from './deadline.js';
import type { LogRange, RangeCount } from './ports.js';
import type { Budget, FetchReply, RoutedCalls } from './routed-calls.js';

const CONTROL_BATCH = 1 << 5;
const TRANSACTIONAL_BATCH = 1 << 4;
const LIMIT = 1_000;
const RETRY_PAUSE_MS = 100;
const PARALLEL = 8;

type Part = FetchReply['responses'][number]['partitions'][number];

/**
 * What a reader of committed records would still get from each range. The broker stops such a read at the last stable
 * offset and names the aborted transactions; leaving their records out is the reader's own work.
 */
export async function countRecords(
  calls: Pick<RoutedCalls, 'fetchCommitted'>,
  ranges: readonly LogRange[],
  budget: Budget,
): Promise<readonly RangeCount[]> {
  const counts: RangeCount[] = [];
  for (let i = 0; i < ranges.length; i += PARALLEL) {
    counts.push(...(await Promise.all(ranges.slice(i, i + PARALLEL).map((range) => countOne(calls, range, budget)))));
  }
  return counts;
}

async function countOne(
  calls: Pick<RoutedCalls, 'fetchCommitted'>,
  { topic, partition, from, to }: LogRange,
  budget: Budget,
): Promise<RangeCount> {
  let records = 0;
  for (let next = from; next < to && records < LIMIT;) {
    const reply = await calls.fetchCommitted(topic, partition, next, budget);
    const part = reply.responses[0]?.partitions.find((p) => p.partitionIndex === partition);
    if (part === undefined) throw new Error(`${topic}-${partition}: the broker's answer does not hold it`);
    const seen = readCommitted(part, next, to);
    records += seen.records;
    const stable = Number(part.lastStableOffset);
    if (seen.nextOffset <= next && stable >= 0 && stable <= next) return { topic, partition, records, openFrom: next };
    if (seen.nextOffset <= next) await pause(RETRY_PAUSE_MS); // a slow read: the budget ends it
    next = Math.max(next, seen.nextOffset);
  }
  return { topic, partition, records: Math.min(records, LIMIT), openFrom: null };
}

/** The records of one answer that are committed data inside [from, to), and where to read on. */
export function readCommitted(
  part: Pick<Part, 'records' | 'abortedTransactions'>,
  from: number,
  to: number,
): Readonly<{ records: number; nextOffset: number }> {
  const waiting = part.abortedTransactions
    .map((t) => ({ producer: t.producerId, first: Number(t.firstOffset) }))
    .toSorted((x, y) => x.first - y.first);
  const aborted = new Set<bigint>();
  let nextOffset = from;
  let records = 0;
  for (const batch of part.records ?? []) {
    const first = Number(batch.firstOffset);
    const last = first + batch.lastOffsetDelta;
    nextOffset = Math.max(nextOffset, last + 1);
    while (waiting[0] !== undefined && waiting[0].first <= last) aborted.add(waiting.shift()?.producer ?? -1n);
    if ((batch.attributes & CONTROL_BATCH) !== 0) {
      aborted.delete(batch.producerId); // its marker ends the transaction, whichever way
      continue;
    }
    if ((batch.attributes & TRANSACTIONAL_BATCH) !== 0 && aborted.has(batch.producerId)) continue;
    records += batch.records.filter(
      ({ offsetDelta }) => first + offsetDelta >= from && first + offsetDelta < to,
    ).length;
  }
  return { records, nextOffset };
}
