const SIZE_BYTES = 4;
/** api key, api version, correlation id, length of the client id. */
const FIXED_HEADER_BYTES = 2 + 2 + 4 + 2;
/** Longer client ids are shown cut: a count needs no more. */
const MAX_CLIENT_ID_BYTES = 120;

export type KafkaRequestSeen = (apiKey: number, clientId: string) => void;

/**
 * Reads the headers of Kafka requests out of a byte stream in passing. Bodies are skipped, never buffered,
 * and whatever cannot be a Kafka request ends the reading of this stream (the bytes still flow).
 */
export class KafkaFrames {
  private readonly head = Buffer.alloc(SIZE_BYTES + FIXED_HEADER_BYTES + MAX_CLIENT_ID_BYTES);
  private headLength = 0;
  private toSkip = 0;
  private unreadable = false;

  constructor(private readonly seen: KafkaRequestSeen) {}

  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.unreadable) {
      if (this.toSkip > 0) {
        const step = Math.min(this.toSkip, chunk.length - at);
        this.toSkip -= step;
        at += step;
      } else {
        const step = Math.min(this.wanted() - this.headLength, chunk.length - at);
        chunk.copy(this.head, this.headLength, at, at + step);
        this.headLength += step;
        at += step;
        if (this.headLength === this.wanted()) this.headComplete();
      }
    }
  }

  private wanted(): number {
    if (this.headLength < SIZE_BYTES) return SIZE_BYTES;
    return SIZE_BYTES + Math.min(this.frameSize(), FIXED_HEADER_BYTES + MAX_CLIENT_ID_BYTES);
  }

  private frameSize(): number {
    return this.head.readInt32BE(0);
  }

  private headComplete(): void {
    const size = this.frameSize();
    if (size < FIXED_HEADER_BYTES) {
      this.unreadable = true;
      return;
    }
    if (this.headLength === SIZE_BYTES) return;
    const idLength = Math.max(0, this.head.readInt16BE(SIZE_BYTES + 8));
    const idStart = SIZE_BYTES + FIXED_HEADER_BYTES;
    this.seen(
      this.head.readInt16BE(SIZE_BYTES),
      this.head.toString('utf8', idStart, Math.min(idStart + idLength, this.headLength)),
    );
    this.toSkip = size - (this.headLength - SIZE_BYTES);
    this.headLength = 0;
  }
}
