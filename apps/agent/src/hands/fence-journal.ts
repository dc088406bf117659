import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from './durable-file.js';

/** `previous` null: the topic had no value of its own. */
export type FenceRecord = Readonly<{ group: string; previous: string | null }>;
type Records = Record<string, FenceRecord>;
type Clusters = Record<string, Records>;

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
 * a record too many, which harms nobody; the other way round the customer's setting would be lost. Read from disk each time:
 * break-glass, a process of its own, may have fenced meanwhile.
 */
export class FenceJournal {
  readonly #file: string;
  #changing: Promise<void> = Promise.resolve();

  constructor(dataDir: string) {
    this.#file = join(dataDir, FILE);
  }

  /** Topic → record of one cluster. @throws {FenceJournalError} when the file is there and cannot be understood. */
  async of(cluster: string): Promise<ReadonlyMap<string, FenceRecord>> {
    return new Map(Object.entries((await this.#load())[cluster] ?? {}));
  }

  /** Adds records; what is recorded already stays: the first value seen is the customer's. Nothing new: the disk is not asked. */
  async add(cluster: string, records: ReadonlyMap<string, FenceRecord>): Promise<void> {
    if (records.size === 0) return;
    await this.#change(cluster, (known) => {
      const news = [...records].filter(([topic]) => !Object.hasOwn(known, topic));
      return news.length === 0 ? null : { ...known, ...Object.fromEntries(news) };
    });
  }

  async remove(cluster: string, topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return;
    const gone = new Set(topics);
    await this.#change(cluster, (known) => {
      const left = Object.entries(known).filter(([topic]) => !gone.has(topic));
      return left.length === Object.keys(known).length ? null : Object.fromEntries(left);
    });
  }

  async #load(): Promise<Clusters> {
    const text = await readFile(this.#file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw new FenceJournalError(`cannot read ${this.#file}; make it readable for the agent`, { cause: error });
    });
    return text === null ? {} : this.#parse(text);
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

  /**
   * One change at a time, each made of what the one before left, so that two groups on a cluster keep each other's records.
   * What is on disk is all there is. `revise` returns null when there is nothing to write.
   */
  async #change(cluster: string, revise: (known: Records) => Records | null): Promise<void> {
    const change = this.#changing.then(async () => {
      const all = await this.#load();
      const records = revise(all[cluster] ?? {});
      if (records === null) return;
      const clusters = { ...all, [cluster]: records };
      await this.#write({ version: 1, clusters });
    });
    this.#changing = change.catch(() => undefined); // the failure belongs to this caller, not to the next one
    await change;
  }

  async #write(content: z.input<typeof schema>): Promise<void> {
    try {
      await writeDurably(this.#file, JSON.stringify(content));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new FenceJournalError(`cannot write ${this.#file}: ${why}; make room for it on the agent's disk`, {
        cause,
      });
    }
  }
}
