import type { fetchV12 } from '@platformatic/kafka';
import type { LogRecord } from './record-log.port.js';

export type FetchedPartition = ReturnType<typeof fetchV12.parseResponse>['responses'][number]['partitions'][number];

const LOG_APPEND_TIME = 1 << 3;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;
const ABORT_MARKER = 0;

/**
 * The data records of an answer to a read-committed fetch. The broker gives whole batches, aborted ones too, with the list
 * of aborted transactions: leaving those out is the reader's part.
 */
export function committedRecords(
  part: FetchedPartition | null,
  from: number,
): Readonly<{ records: readonly LogRecord[]; nextOffset: number }> {
  const records: LogRecord[] = [];
  let nextOffset = from;
  const toCome = (part?.abortedTransactions ?? []).toSorted((x, y) => Number(x.firstOffset - y.firstOffset));
  const aborted = new Set<bigint>();
  for (const batch of part?.records ?? []) {
    const first = Number(batch.firstOffset);
    const last = first + batch.lastOffsetDelta;
    nextOffset = Math.max(nextOffset, last + 1);
    for (let next = toCome[0]; next !== undefined && Number(next.firstOffset) <= last; next = toCome[0]) {
      aborted.add(next.producerId);
      toCome.shift();
    }
    if ((batch.attributes & CONTROL) !== 0) {
      // The key of a marker is version and type, 16 bits each.
      if (batch.records[0]?.key?.readInt16BE(2) === ABORT_MARKER) aborted.delete(batch.producerId);
      continue;
    }
    if ((batch.attributes & TRANSACTIONAL) !== 0 && aborted.has(batch.producerId)) continue;
    const appendTime = (batch.attributes & LOG_APPEND_TIME) !== 0;
    for (const record of batch.records) {
      const offset = first + record.offsetDelta;
      if (offset < from) continue;
      records.push({
        offset,
        timestampMs: Number(appendTime ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta),
        appendTime,
        key: record.key,
        value: record.value,
        headers: record.headers.map(([name, value]) => [name ?? Buffer.alloc(0), value] as const),
      });
    }
  }
  return { records, nextOffset };
}
