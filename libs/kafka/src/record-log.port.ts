import type { Ms } from '#health';

/** A whole record, headers and all. Offsets have gaps: markers, aborted and compacted records are not there. */
export type LogRecord = Readonly<{
  offset: number;
  timestampMs: number;
  /** The broker's clock gave the timestamp: it says nothing when the record is compared with its copy. */
  appendTime: boolean;
  key: Buffer | null;
  value: Buffer | null;
  headers: readonly RecordHeader[];
}>;
/** Names may repeat; the order is kept. */
export type RecordHeader = readonly [name: Buffer, value: Buffer | null];
export type NewRecord = Pick<LogRecord, 'timestampMs' | 'key' | 'value' | 'headers'>;

/** `from` included, `to` not. */
export type RecordRange = Readonly<{ topic: string; partition: number; from: number; to: number }>;

/**
 * Reads and appends whole records of single partitions without a consumer group.
 * @throws {KafkaCallError} when the cluster does not give or take them.
 */
export interface RecordLog {
  /** Committed data records in the order of their offsets, in slices of a few megabytes. `callMs` bounds each request. */
  read(
    range: RecordRange,
    options: Readonly<{ callMs: Ms; signal: AbortSignal }>,
  ): AsyncGenerator<readonly LogRecord[], void>;
  /** One batch with acks=all. After a failure it may or may not be there: look before writing it again. */
  append(topic: string, partition: number, records: readonly NewRecord[], deadlineMs: Ms): Promise<void>;
  close(): void;
}
