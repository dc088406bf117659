import { fetchV12, listOffsetsV7, produceV9, type Connection } from '@platformatic/kafka';
import type { Ms } from '#health';
import type { ClusterConnectionConfig } from './connection-config.js';
import { monotonicMs, pause } from './deadline.js';
import { KafkaCallError } from './kafka-error.js';
import type { NewRecord, RecordRange, LogRecord, RecordLog } from './record-log.port.js';
import { committedRecords, type FetchedPartition } from './record-batches.js';
import { Budget, otherFailure, RoutedCalls } from './routed-calls.js';
import { settled, type LogEnds } from './settled-end.js';

const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const LATEST = -1n;
const ANY_EPOCH = -1;
/** Asked as a consumer, the latest offset is the high watermark; asked as a debugging one, the end of the broker's own log. */
const CONSUMER = -1;
const DEBUGGING_CONSUMER = -2;
/** A new leader does not know its high watermark yet. */
const OFFSET_NOT_AVAILABLE = 78;
const ACKS_ALL = -1;
const SLICE_BYTES = 4 * 1024 * 1024;
const SLICE_WAIT_MS = 100;
const PAUSE_MS = 100;
/** A range that gives nothing for this long is held by an open transaction: it ends by itself, then this is asked again. */
const STALLED_MS = 20_000;

/** {@link RecordLog} over raw calls of @platformatic/kafka, on connections of its own: a long read holds up nobody. */
export class PlatformaticRecordLog implements RecordLog {
  readonly #calls: RoutedCalls;

  constructor(config: ClusterConnectionConfig) {
    this.#calls = new RoutedCalls(config);
  }

  async *read(
    { topic, partition, from, to }: RecordRange,
    { callMs, signal }: Readonly<{ callMs: Ms; signal: AbortSignal }>,
  ): AsyncGenerator<readonly LogRecord[]> {
    let next = from;
    let movedAtMs = monotonicMs();
    while (next < to) {
      signal.throwIfAborted();
      const part = await this.#fetch(topic, partition, next, callMs);
      const slice = committedRecords(part, next);
      const wanted = slice.records.filter((r) => r.offset < to);
      if (wanted.length > 0) yield wanted;
      if (slice.nextOffset > next) movedAtMs = monotonicMs();
      else if (monotonicMs() - movedAtMs > STALLED_MS) throw stalled(topic, partition, next, to);
      else await pause(PAUSE_MS, signal);
      next = Math.max(next, slice.nextOffset);
    }
  }

  async append(topic: string, partition: number, records: readonly NewRecord[], deadlineMs: Ms): Promise<void> {
    if (records.length === 0) return;
    const budget = new Budget(deadlineMs);
    const messages = records.map((r) => ({
      topic,
      partition,
      timestamp: BigInt(r.timestampMs),
      ...(r.key === null ? {} : { key: r.key }),
      value: r.value as Buffer, // a null value is a tombstone: the encoder writes length -1
      headers: new Map(r.headers.map(([name, value]) => [name, value as Buffer] as const)), // by identity: names may repeat
    }));
    const address = await this.#calls.leader(topic, partition, budget);
    await this.#calls.at(
      address,
      'Produce',
      budget.require('Produce'),
      (c) => produceV9.api.async(c, ACKS_ALL, Math.ceil(deadlineMs / 2), messages, {}),
      { resend: false },
    );
  }

  async settledEnd(
    { topic, partition }: Readonly<{ topic: string; partition: number }>,
    { callMs, waitMs, signal }: Readonly<{ callMs: Ms; waitMs: Ms; signal: AbortSignal }>,
  ): Promise<number> {
    const look = (): Promise<LogEnds | null> => this.#ends(topic, partition, callMs);
    return settled(`the end of ${topic}-${partition}`, look, { waitMs, signal });
  }

  close(): void {
    this.#calls.close();
  }

  /** The leader's epoch goes with the second question: any replica would answer it, and only of its own log. */
  async #ends(topic: string, partition: number, callMs: Ms): Promise<LogEnds | null> {
    const budget = new Budget(callMs);
    try {
      return await this.#calls.retryStale('ListOffsets', budget, async () => {
        const address = await this.#calls.leader(topic, partition, budget);
        return this.#calls.at(address, 'ListOffsets', budget.require('ListOffsets'), async (c) => {
          const visible = await latest(c, CONSUMER, topic, partition, ANY_EPOCH);
          const written = await latest(c, DEBUGGING_CONSUMER, topic, partition, visible.leaderEpoch);
          return { leaderEpoch: visible.leaderEpoch, visible: visible.offset, written: written.offset };
        });
      });
    } catch (error) {
      if (error instanceof KafkaCallError && error.errorCode === OFFSET_NOT_AVAILABLE) return null;
      throw error;
    }
  }

  #fetch(topic: string, partition: number, offset: number, callMs: Ms): Promise<FetchedPartition | null> {
    const budget = new Budget(callMs);
    return this.#calls.retryStale('Fetch', budget, async () => {
      const address = await this.#calls.leader(topic, partition, budget);
      return this.#calls.at(address, 'Fetch', budget.require('Fetch'), async (c) => {
        const at = {
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: BigInt(offset),
          lastFetchedEpoch: -1,
          partitionMaxBytes: SLICE_BYTES,
        };
        const asked = [{ topicId: topic, partitions: [at] }];
        const reply = await fetchV12.api.async(c, SLICE_WAIT_MS, 1, SLICE_BYTES, READ_COMMITTED, 0, -1, asked, [], '');
        return reply.responses[0]?.partitions.find((p) => p.partitionIndex === partition) ?? null;
      });
    });
  }
}

async function latest(
  c: Connection,
  replica: number,
  topic: string,
  partition: number,
  currentLeaderEpoch: number,
): Promise<Readonly<{ offset: number; leaderEpoch: number }>> {
  const asked = [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch, timestamp: LATEST }] }];
  const reply = await listOffsetsV7.api.async(c, replica, READ_UNCOMMITTED, asked); // a failed partition throws
  const found = reply.topics[0]?.partitions[0];
  if (found === undefined) throw new Error(`no word on ${topic}-${partition} in the answer`);
  return { offset: Number(found.offset), leaderEpoch: found.leaderEpoch };
}

const stalled = (topic: string, partition: number, next: number, to: number): KafkaCallError =>
  new KafkaCallError(
    `reading ${topic}-${partition}`,
    otherFailure(
      `nothing readable between ${next} and ${to}: an open transaction holds it; ask again when it has ended`,
    ),
  );
