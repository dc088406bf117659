import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';

/** A file of any size that is there whole or not at all: written beside, synced, renamed. A second run begins it anew. */
export class TailFile {
  readonly path: string;
  readonly #part: string;
  readonly #stream: WriteStream;
  #problem: Error | null = null;

  static async begin(path: string): Promise<TailFile> {
    await mkdir(dirname(path), { recursive: true });
    return new TailFile(path);
  }

  private constructor(path: string) {
    this.path = path;
    this.#part = `${path}.part`;
    this.#stream = createWriteStream(this.#part, { mode: 0o600 });
    this.#stream.on('error', (error) => (this.#problem = error));
  }

  /** Waits while the disk is slower than Kafka. @throws the disk's error: the disk may be full. */
  async write(lines: string): Promise<void> {
    if (this.#problem !== null) throw this.#problem;
    if (!this.#stream.write(lines)) await once(this.#stream, 'drain');
  }

  async end(): Promise<void> {
    this.#stream.end();
    await finished(this.#stream);
    const file = await open(this.#part, 'r+');
    await file.sync();
    await file.close();
    await rename(this.#part, this.path);
  }

  /** Leaves nothing open; what is half written stays beside, and the next run overwrites it. */
  abandon(): void {
    this.#stream.destroy();
  }
}
