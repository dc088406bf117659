import type { Message, RecordMetadata } from 'kafkajs';
import type { SendOutcome, SwitchingRecord } from './client.types.js';

/** One call of send, from the call to its one settlement. */
export type SendItem = {
  readonly record: SwitchingRecord;
  readonly messages: readonly Message[];
  readonly bytes: number;
  readonly sentAtMs: number; // performance.now() of the call
  readonly settle: (result: SendOutcome | Error) => void;
  settled: boolean;
  unanswered: number; // messages without an acknowledgement yet
  metadata: RecordMetadata[]; // of the others
  attempts: number;
  maybeWritten: boolean; // an attempt ended without a clear answer
  strikes: number; // attempts that failed for a reason nobody understands
  lastError: unknown;
  lateAck: SendOutcome | null; // of a cluster left behind, come while the record is being sent again
};

// What a record costs beside its own bytes: lengths, timestamps, offsets; rounded up.
const RECORD_OVERHEAD_BYTES = 32;

export function bytesOf(messages: readonly Message[]): number {
  let bytes = 0;
  for (const m of messages) {
    bytes += RECORD_OVERHEAD_BYTES + lengthOf(m.key) + lengthOf(m.value);
    for (const [name, value] of Object.entries(m.headers ?? {})) {
      bytes += lengthOf(name);
      for (const v of Array.isArray(value) ? value : [value]) bytes += lengthOf(v);
    }
  }
  return bytes;
}

function lengthOf(value: Buffer | string | null | undefined): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length;
}

/** The caller's messages, safe from later changes, stamped now: a record that is sent again keeps its first time. */
export function copyMessages(messages: readonly Message[], nowMs: number): Message[] {
  return messages.map((m) => ({ ...m, timestamp: m.timestamp ?? String(Math.trunc(nowMs)) }));
}

/**
 * The part of a request's answer that belongs to one send of it: where its first record of each partition lies.
 * `partitionOf` knows where the partitioner put each message; `before` counts earlier messages of the same request.
 */
export function metadataOf(
  messages: readonly Message[],
  answer: readonly RecordMetadata[],
  partitionOf: (m: Message) => number | undefined,
  before: Map<number, number>,
): RecordMetadata[] {
  const counts = new Map<number, number>();
  for (const m of messages) {
    const partition = partitionOf(m);
    if (partition !== undefined) counts.set(partition, (counts.get(partition) ?? 0) + 1);
  }
  const mine: RecordMetadata[] = [];
  for (const [partition, count] of counts) {
    const skipped = before.get(partition) ?? 0;
    before.set(partition, skipped + count);
    const part = answer.find((a) => a.partition === partition);
    if (part === undefined) continue;
    const base = part.baseOffset;
    mine.push(base === undefined ? part : { ...part, baseOffset: (BigInt(base) + BigInt(skipped)).toString() });
  }
  return mine;
}
