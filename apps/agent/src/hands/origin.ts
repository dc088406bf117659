import { ORIGIN_HEADER, ORIGIN_TOPIC_HEADER, type TailRange, type TopicPartition } from '#failover';
import type { LogRecord, NewRecord, RecordHeader } from '#kafka';

/**
 * Where a record that the product wrote for another one came from: what makes a second run write nothing twice. Without its
 * topic's id an offset is ambiguous: a rebuild makes the topic anew, and its offsets begin again. Null: of an older agent.
 */
export type Origin = Readonly<TopicPartition & { cluster: string; offset: number; topicId: string | null }>;

export const withOrigin = (of: Origin, record: NewRecord): NewRecord => ({
  timestampMs: record.timestampMs,
  key: record.key,
  value: record.value,
  headers: [...record.headers, ...originHeaders(of)],
});

/** The id in a header of its own, right behind the other one: an agent that does not know it still reads the rest. */
const originHeaders = (o: Origin): readonly RecordHeader[] => [
  [
    Buffer.from(ORIGIN_HEADER),
    Buffer.from(`${o.cluster}/${o.topic}/${o.partition}/${o.offset}`), // topics hold no slash, cluster names neither
  ],
  ...(o.topicId === null ? [] : ([[Buffer.from(ORIGIN_TOPIC_HEADER), Buffer.from(o.topicId)]] as const)),
];

/** The newest one: a record may have been written for another one more than once in its life. */
export function originOf(record: Pick<LogRecord, 'headers'>): Origin | null {
  const index = record.headers.findLastIndex(([name]) => name.toString('utf8') === ORIGIN_HEADER);
  const parts = record.headers[index]?.[1]?.toString('utf8').split('/') ?? [];
  const [cluster, topic, partition, offset] = parts;
  if (parts.length !== 4 || cluster === undefined || topic === undefined) return null;
  const [name, id] = record.headers[index + 1] ?? [];
  const topicId = name?.toString('utf8') === ORIGIN_TOPIC_HEADER ? (id?.toString('utf8') ?? null) : null;
  const at = { cluster, topic, partition: Number(partition), offset: Number(offset), topicId };
  return Number.isSafeInteger(at.partition) && Number.isSafeInteger(at.offset) ? at : null;
}

/** What a range is made of, in the terms of an origin. */
export type RangeOrigin = Readonly<{ cluster: string; topicId: string | null; range: TailRange }>;

/** Whether a record of this range stands there. Offsets beyond it, or of a former topic of the same name, say nothing about it. */
export const isWithin = (o: Origin, { cluster, topicId, range }: RangeOrigin): boolean =>
  o.cluster === cluster &&
  o.topic === range.topic &&
  o.partition === range.partition &&
  o.offset >= range.from &&
  o.offset < range.to &&
  (o.topicId === null || topicId === null || o.topicId === topicId);
