import { decodeOffsetSync, type OffsetSync } from './formats.js';
import { Mm2FormatError } from './wire.js';

const MAX_KEYS = 100_000;
const VALUE_BYTES = 16;
const HIGH = 2 ** 32;

/** Offset-syncs by the million: a key's text is decoded once, a value without a bigint. */
export class OffsetSyncDecoder {
  readonly #keys = new Map<string, Readonly<{ topic: string; partition: number }>>();

  /** @throws {Mm2FormatError} when the record is none. */
  decode(key: Buffer, value: Buffer): OffsetSync {
    const bytes = key.toString('latin1');
    const at = this.#keys.get(bytes) ?? this.#learn(bytes, key, value);
    if (value.length < VALUE_BYTES) throw new Mm2FormatError(`record ends at ${value.length}, wanted ${VALUE_BYTES}`);
    return {
      topic: at.topic,
      partition: at.partition,
      upstream: value.readInt32BE(0) * HIGH + value.readUInt32BE(4),
      downstream: value.readInt32BE(8) * HIGH + value.readUInt32BE(12),
    };
  }

  #learn(bytes: string, key: Buffer, value: Buffer): Readonly<{ topic: string; partition: number }> {
    const { topic, partition } = decodeOffsetSync(key, value);
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear();
    this.#keys.set(bytes, { topic, partition });
    return { topic, partition };
  }
}
