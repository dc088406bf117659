/** Big-endian readers and writers for MirrorMaker 2's records: STRING is an int16 length and UTF-8; no magic byte. */

export class Mm2FormatError extends Error {
  readonly code = 'POINTSMAN_MM2_FORMAT';
}

export class WireReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#take(4));
  }

  int64(): number {
    return Number(this.#buffer.readBigInt64BE(this.#take(8)));
  }

  string(): string {
    const length = this.int16();
    if (length < 0) throw new Mm2FormatError('a string of negative length');
    const at = this.#take(length);
    return this.#buffer.toString('utf8', at, at + length);
  }

  #take(size: number): number {
    const at = this.#at;
    if (at + size > this.#buffer.length)
      throw new Mm2FormatError(`record ends at ${this.#buffer.length}, wanted ${at + size}`);
    this.#at += size;
    return at;
  }
}

const int = (size: 2 | 4, value: number): Buffer => {
  const b = Buffer.alloc(size);
  b.writeIntBE(value, 0, size);
  return b;
};
export const int16 = (value: number): Buffer => int(2, value);
export const int32 = (value: number): Buffer => int(4, value);
export const int64 = (value: number): Buffer => {
  const b = Buffer.alloc(8);
  b.writeBigInt64BE(BigInt(value));
  return b;
};
export const string = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([int16(bytes.length), bytes]);
};
