import { fetchV12, produceV9 } from '@platformatic/kafka';
import type { Ms } from '#health';
import type { ClusterConnectionConfig } from './connection-config.js';
import { monotonicMs, pause } from './deadline.js';
import { KafkaCallError } from './kafka-error.js';
import type { NewRecord, RecordRange, LogRecord, RecordLog } from './record-log.port.js';
import { committedRecords, type FetchedPartition } from './record-batches.js';
import { Budget, otherFailure, RoutedCalls } from './routed-calls.js';

const READ_COMMITTED = 1;
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
    await this.#calls.at(address, 'Produce', budget.require('Produce'), (c) =>
      produceV9.api.async(c, ACKS_ALL, Math.ceil(deadlineMs), messages, {}),
    );
  }

  close(): void {
    this.#calls.close();
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

const stalled = (topic: string, partition: number, next: number, to: number): KafkaCallError =>
  new KafkaCallError(
    `reading ${topic}-${partition}`,
    otherFailure(
      `nothing readable between ${next} and ${to}: an open transaction holds it; ask again when it has ended`,
    ),
  );
