import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from './durable-file.js';

/** `previous` null: the topic had no value of its own. */
export type FenceRecord = Readonly<{ group: string; previous: string | null }>;
type Clusters = Record<string, Record<string, FenceRecord>>;

const schema = z.strictObject({
  version: z.literal(1),
  clusters: z.record(
    z.string(),
    z.record(z.string(), z.strictObject({ group: z.string(), previous: z.string().nullable() })),
  ),
});

export class FenceJournalError extends Error {
  readonly code = 'POINTSMAN_FENCE_JOURNAL';
}

const FILE = 'fence-journal.json';

/**
 * What each topic had before this agent fenced it. On disk *before* the change: after a crash between the two there is
 * a record too many, which harms nobody; the other way round the customer's setting would be lost.
 */
export class FenceJournal {
  readonly #file: string;
  #clusters: Clusters | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(dataDir: string) {
    this.#file = join(dataDir, FILE);
  }

  /** Topic → record of one cluster. @throws {FenceJournalError} when the file is there and cannot be understood. */
  async of(cluster: string): Promise<ReadonlyMap<string, FenceRecord>> {
    return new Map(Object.entries((await this.#load())[cluster] ?? {}));
  }

  /** Adds records; what is recorded already stays: the first value seen is the customer's. */
  async add(cluster: string, records: ReadonlyMap<string, FenceRecord>): Promise<void> {
    const known = (await this.#load())[cluster] ?? {};
    await this.#store(cluster, { ...Object.fromEntries(records), ...known });
  }

  async remove(cluster: string, topics: readonly string[]): Promise<void> {
    const gone = new Set(topics);
    const known = Object.entries((await this.#load())[cluster] ?? {});
    const left = known.filter(([topic]) => !gone.has(topic));
    if (left.length !== known.length) await this.#store(cluster, Object.fromEntries(left));
  }

  async #load(): Promise<Clusters> {
    if (this.#clusters !== null) return this.#clusters;
    const text = await readFile(this.#file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw new FenceJournalError(`cannot read ${this.#file}; make it readable for the agent`, { cause: error });
    });
    this.#clusters ??= text === null ? {} : this.#parse(text);
    return this.#clusters;
  }

  #parse(text: string): Clusters {
    try {
      return schema.parse(JSON.parse(text)).clusters;
    } catch (cause) {
      throw new FenceJournalError(
        `${this.#file} is damaged; restore it, or move it away to unfence with broker defaults`,
        {
          cause,
        },
      );
    }
  }

  /** One write at a time, each whole: a new file, flushed, renamed over the old one, and the folder flushed. */
  async #store(cluster: string, records: Record<string, FenceRecord>): Promise<void> {
    const clusters = { ...(await this.#load()), [cluster]: records };
    this.#clusters = clusters;
    const write = this.#writing.then(() => writeDurably(this.#file, JSON.stringify({ version: 1, clusters })));
    this.#writing = write.catch(() => undefined); // the failure belongs to this caller, not to the next one
    await write;
  }
}
