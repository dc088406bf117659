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
  /**
   * The end of what readers see, once they see all that stands in the leader's log now. An append that failed may stand there
   * behind the high watermark for as long as a dead follower counts as in sync: who looks only up to the watermark writes it
   * again. `callMs` bounds each request, `waitMs` the waiting.
   */
  settledEnd(
    at: Readonly<{ topic: string; partition: number }>,
    options: Readonly<{ callMs: Ms; waitMs: Ms; signal: AbortSignal }>,
  ): Promise<number>;
  /**
   * One batch with acks=all, sent once. After a failure it may or may not be there: look up to {@link settledEnd} before writing it
   * again. The broker waits for its followers for half of the deadline, so that its own word on that comes before ours: behind it
   * the batch is in its log.
   */
  append(topic: string, partition: number, records: readonly NewRecord[], deadlineMs: Ms): Promise<void>;
  close(): void;
}
