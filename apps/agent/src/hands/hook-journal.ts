import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from './durable-file.js';
import { HookError } from './hook-command.js';

const FILE = 'fence-hook.json';
const schema = z.strictObject({ version: z.literal(1), clusters: z.record(z.string(), z.array(z.string())) });

/**
 * Which groups closed a cluster by the hook. On disk before the hook is run: a hook that closes the cluster for all groups may be
 * opened only when the last one that closed it wants it open, and never a closure that somebody else made by hand. Read from
 * disk each time: break-glass, a process of its own, may have run the hook meanwhile.
 */
export class HookJournal {
  readonly #file: string;
  #changing: Promise<void> = Promise.resolve();

  constructor(dataDir: string) {
    this.#file = join(dataDir, FILE);
  }

  async groups(cluster: string): Promise<readonly string[]> {
    return (await this.#load())[cluster] ?? [];
  }

  async add(cluster: string, group: string): Promise<void> {
    await this.#change(cluster, (known) => (known.includes(group) ? null : [...known, group]));
  }

  async remove(cluster: string, group: string): Promise<void> {
    await this.#change(cluster, (known) => (known.includes(group) ? known.filter((g) => g !== group) : null));
  }

  async #load(): Promise<Readonly<Record<string, readonly string[]>>> {
    const text = await readFile(this.#file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw new HookError(`cannot read ${this.#file}; make it readable for the agent`, { cause: error });
    });
    try {
      return text === null ? {} : schema.parse(JSON.parse(text)).clusters;
    } catch (cause) {
      throw new HookError(
        `${this.#file} is damaged; restore it, or move it away and run the hook's open command yourself`,
        { cause },
      );
    }
  }

  /** One change at a time, each made of what the one before left. What is on disk is all there is. */
  async #change(cluster: string, revise: (known: readonly string[]) => readonly string[] | null): Promise<void> {
    const change = this.#changing.then(async () => {
      const all = await this.#load();
      const groups = revise(all[cluster] ?? []);
      if (groups === null) return;
      const clusters = { ...all, [cluster]: groups };
      await this.#write({ version: 1, clusters });
    });
    this.#changing = change.catch(() => undefined); // the failure belongs to this caller, not to the next one
    await change;
  }

  async #write(content: unknown): Promise<void> {
    try {
      await writeDurably(this.#file, JSON.stringify(content));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new HookError(`cannot write ${this.#file}: ${why}; make room for it on the agent's disk`, { cause });
    }
  }
}
