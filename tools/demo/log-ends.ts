import type { Kafka } from 'kafkajs';
import { waitFor } from '#lab';

/** Partition → the offset that the next record of the log gets. */
export type LogEnds = ReadonlyMap<number, bigint>;

const STILL_MS = 500;

/** Where a topic's log ends now, asked past Pointsman. */
export async function logEnds(kafka: Kafka, topic: string): Promise<LogEnds> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return new Map((await admin.fetchTopicOffsets(topic)).map((p) => [p.partition, BigInt(p.high)]));
  } finally {
    await admin.disconnect();
  }
}

/** Where the log ends once nobody writes to it: the same twice, half a second apart. */
export async function logEndsAtRest(kafka: Kafka, topic: string, timeoutMs: number): Promise<LogEnds> {
  let last = '';
  return waitFor(
    `the end of ${topic} stands still`,
    async () => {
      const ends = await logEnds(kafka, topic);
      const text = [...ends].join();
      const same = text === last;
      last = text;
      return same ? ends : undefined;
    },
    { timeoutMs, pollMs: STILL_MS },
  );
}
