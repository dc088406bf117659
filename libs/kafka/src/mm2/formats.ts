import { int16, int32, int64, Mm2FormatError, string, WireReader } from './wire.js';

/**
 * MirrorMaker 2's internal records, checked byte for byte against Kafka 3.9 and 4.3. Encoders exist for tests and for
 * proofs; nothing of the product writes these topics.
 */

/** `offset`: source offset U of a record; `downstream`: the offset D that the target gave it. */
export type OffsetSync = Readonly<{ topic: string; partition: number; upstream: number; downstream: number }>;

export function decodeOffsetSync(key: Buffer, value: Buffer): OffsetSync {
  const k = new WireReader(key);
  const v = new WireReader(value);
  return { topic: k.string(), partition: k.int32(), upstream: v.int64(), downstream: v.int64() };
}

export const encodeOffsetSync = (s: OffsetSync): { key: Buffer; value: Buffer } => ({
  key: Buffer.concat([string(s.topic), int32(s.partition)]),
  value: Buffer.concat([int64(s.upstream), int64(s.downstream)]),
});

/** `topic` is the name on the target. */
export type Checkpoint = Readonly<{
  group: string;
  topic: string;
  partition: number;
  upstream: number;
  downstream: number;
  metadata: string;
}>;

export function decodeCheckpoint(key: Buffer, value: Buffer): Checkpoint {
  const k = new WireReader(key);
  const v = new WireReader(value);
  const at = { group: k.string(), topic: k.string(), partition: k.int32() };
  const version = v.int16();
  if (version !== 0) throw new Mm2FormatError(`checkpoint version ${version}; only 0 is known`);
  return { ...at, upstream: v.int64(), downstream: v.int64(), metadata: v.string() };
}

export const encodeCheckpoint = (c: Checkpoint): { key: Buffer; value: Buffer } => ({
  key: Buffer.concat([string(c.group), string(c.topic), int32(c.partition)]),
  value: Buffer.concat([int16(0), int64(c.upstream), int64(c.downstream), string(c.metadata)]),
});

export type Heartbeat = Readonly<{ source: string; target: string; timestampMs: number }>;

export function decodeHeartbeat(key: Buffer, value: Buffer): Heartbeat {
  const k = new WireReader(key);
  const v = new WireReader(value);
  const between = { source: k.string(), target: k.string() };
  const version = v.int16();
  if (version !== 0) throw new Mm2FormatError(`heartbeat version ${version}; only 0 is known`);
  return { ...between, timestampMs: v.int64() };
}

export const encodeHeartbeat = (h: Heartbeat): { key: Buffer; value: Buffer } => ({
  key: Buffer.concat([string(h.source), string(h.target)]),
  value: Buffer.concat([int16(0), int64(h.timestampMs)]),
});

/** N of one partition in Connect's offsets topic; `offset` null: the entry was deleted. */
export type SourceOffset = Readonly<{
  connector: string;
  cluster: string; // alias of the source
  topic: string;
  partition: number;
  offset: number | null;
}>;

/** Keys are `["<connector>",{"cluster","partition","topic"}]`; keys of other connectors and tasks give null. */
export function decodeSourceOffset(key: Buffer, value: Buffer | null): SourceOffset | null {
  const parsed = parseJson(key);
  if (!Array.isArray(parsed) || parsed.length !== 2 || typeof parsed[0] !== 'string') return null;
  const where = asRecord(parsed[1]);
  const { cluster, topic, partition } = where;
  if (typeof cluster !== 'string' || typeof topic !== 'string' || typeof partition !== 'number') return null;
  const offset = value === null ? null : asRecord(parseJson(value)).offset;
  if (offset !== null && typeof offset !== 'number') {
    throw new Mm2FormatError(`source offset of ${parsed[0]} for ${topic}-${partition} holds no number`);
  }
  return { connector: parsed[0], cluster, topic, partition, offset };
}

/** Byte-identical to what Connect writes: the order of the keys matters, for the topic is compacted by these bytes. */
export const encodeSourceOffset = (s: SourceOffset): { key: Buffer; value: Buffer | null } => ({
  key: Buffer.from(JSON.stringify([s.connector, { cluster: s.cluster, partition: s.partition, topic: s.topic }])),
  value: s.offset === null ? null : Buffer.from(JSON.stringify({ offset: s.offset })),
});

/** Names of MM2's internal topics, seen from the target with `offset-syncs.topic.location=target`. */
export const mm2Topics = {
  offsetSyncsOnTarget: (sourceAlias: string): string => `mm2-offset-syncs.${sourceAlias}.internal`,
  checkpoints: (sourceAlias: string): string => `${sourceAlias}.checkpoints.internal`,
  /** Written on the source by the other direction's heartbeat connector, copied by the flow: proves it end to end. */
  copiedHeartbeats: (sourceAlias: string): string => `${sourceAlias}.heartbeats`,
} as const;

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (cause) {
    throw new Mm2FormatError('not JSON', { cause });
  }
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
