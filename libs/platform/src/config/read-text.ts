import { closeSync, openSync, readSync } from 'node:fs';

/** Far above any file that a person writes for this product. */
const MAX_BYTES = 8 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/**
 * The text of a file that a person named, also of a pipe. Read no further than it could reasonably go: a name such as
 * `/dev/zero` must be an error, not the end of the process. Throws the errors of `node:fs`, and a RangeError beyond the limit.
 */
export function readText(file: string): string {
  const fd = openSync(file, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; ;) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const read = readSync(fd, chunk);
      if (read === 0) return Buffer.concat(chunks).toString('utf8');
      total += read;
      if (total > MAX_BYTES) throw new RangeError(`larger than ${MAX_BYTES / 1024 / 1024} MiB`);
      chunks.push(chunk.subarray(0, read));
    }
  } finally {
    closeSync(fd);
  }
}
