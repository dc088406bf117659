import type { Kafka } from 'kafkajs';
import { waitFor } from '#lab';
import { logEnds } from './log-ends.js';
import type { LogRecord } from './proof.js';

/** An independent reader of one cluster's topic: no wrapper, no pointer, from the first record on. */
export class LogReader {
  readonly records: LogRecord[] = [];
  private readonly positions = new Map<number, bigint>(); // partition → next offset

  private constructor(
    private readonly kafka: Kafka,
    private readonly topic: string,
    private readonly disconnect: () => Promise<void>,
  ) {}

  /** @param kafka past the proxy: no cut hides the log from this reader */
  static async start(kafka: Kafka, topic: string): Promise<LogReader> {
    const consumer = kafka.consumer({ groupId: `independent-reader-${topic}`, retry: { retries: 8 } });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const reader = new LogReader(kafka, topic, () => consumer.disconnect());
    // Batches, not records: a log of transactions ends with a marker that no handler is ever given.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.topic === topic) reader.positions.set(payload.partition, BigInt(payload.lastOffset) + 1n);
    });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ message, partition }) => {
        const offset = BigInt(message.offset);
        reader.records.push({ id: message.key?.toString() ?? '', partition, offset, timestamp: message.timestamp });
        return Promise.resolve();
      },
    });
    return reader;
  }

  seen(): ReadonlySet<string> {
    return new Set(this.records.map((r) => r.id));
  }

  /** Waits until everything that is in the topic now has been read. */
  async readToEnd(timeoutMs: number): Promise<void> {
    const ends = [...(await logEnds(this.kafka, this.topic))];
    await waitFor(
      `the independent reader reaches the end of ${this.topic}`,
      () => (ends.every(([partition, end]) => (this.positions.get(partition) ?? 0n) >= end) ? true : undefined),
      { timeoutMs },
    );
  }

  async close(): Promise<void> {
    await this.disconnect();
  }
}
