import { ORIGIN_HEADER, type TopicPartition } from '#failover';
import type { LogRecord, NewRecord, RecordHeader } from '#kafka';

/** Where a record that the product wrote for another one came from: what makes a second run write nothing twice. */
export type Origin = Readonly<TopicPartition & { cluster: string; offset: number }>;

export const withOrigin = (of: Origin, record: NewRecord): NewRecord => ({
  timestampMs: record.timestampMs,
  key: record.key,
  value: record.value,
  headers: [...record.headers, originHeader(of)],
});

const originHeader = (o: Origin): RecordHeader => [
  Buffer.from(ORIGIN_HEADER),
  Buffer.from(`${o.cluster}/${o.topic}/${o.partition}/${o.offset}`), // topics hold no slash, cluster names neither
];

/** The newest one: a record may have been written for another one more than once in its life. */
export function originOf(record: Pick<LogRecord, 'headers'>): Origin | null {
  const found = record.headers.findLast(([name]) => name.toString('utf8') === ORIGIN_HEADER)?.[1];
  const parts = found?.toString('utf8').split('/') ?? [];
  const [cluster, topic, partition, offset] = parts;
  if (parts.length !== 4 || cluster === undefined || topic === undefined) return null;
  const at = { cluster, topic, partition: Number(partition), offset: Number(offset) };
  return Number.isSafeInteger(at.partition) && Number.isSafeInteger(at.offset) ? at : null;
}
