import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from './durable-file.js';
import { HookError } from './hook-command.js';

const FILE = 'fence-hook.json';
const schema = z.strictObject({ version: z.literal(1), clusters: z.record(z.string(), z.array(z.string())) });

/**
 * Which groups closed a cluster by the hook. On disk before the hook is run: a hook that closes the cluster for all groups may be
 * opened only when the last one that closed it wants it open, and never a closure that somebody else made by hand.
 */
export class HookJournal {
  readonly #file: string;
  #clusters: Readonly<Record<string, readonly string[]>> | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(dataDir: string) {
    this.#file = join(dataDir, FILE);
  }

  async groups(cluster: string): Promise<readonly string[]> {
    return (await this.#load())[cluster] ?? [];
  }

  async add(cluster: string, group: string): Promise<void> {
    const known = await this.groups(cluster);
    if (!known.includes(group)) await this.#store(cluster, [...known, group]);
  }

  async remove(cluster: string, group: string): Promise<void> {
    const known = await this.groups(cluster);
    if (known.includes(group))
      await this.#store(
        cluster,
        known.filter((g) => g !== group),
      );
  }

  async #load(): Promise<Readonly<Record<string, readonly string[]>>> {
    if (this.#clusters !== null) return this.#clusters;
    const text = await readFile(this.#file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw new HookError(`cannot read ${this.#file}; make it readable for the agent`, { cause: error });
    });
    try {
      this.#clusters ??= text === null ? {} : schema.parse(JSON.parse(text)).clusters;
    } catch (cause) {
      throw new HookError(
        `${this.#file} is damaged; restore it, or move it away and run the hook's open command yourself`,
        { cause },
      );
    }
    return this.#clusters;
  }

  /** One write at a time, each whole. */
  async #store(cluster: string, groups: readonly string[]): Promise<void> {
    const clusters = { ...(await this.#load()), [cluster]: groups };
    this.#clusters = clusters;
    const write = this.#writing.then(() => writeDurably(this.#file, JSON.stringify({ version: 1, clusters })));
    this.#writing = write.catch(() => undefined); // the failure belongs to this caller, not to the next one
    await write;
  }
}
