import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { z } from 'zod';
import type { Logger } from '#platform';

/** The disk did not take it (full, read-only, worn out): what is on it is what was there before. */
export class DiskError extends Error {
  readonly code = 'POINTSMAN_AGENT_DISK';
  constructor(path: string, cause: unknown) {
    super(`cannot write ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * One small JSON file that is either the old or the new content after a crash, never a mixture: written beside, synced,
 * renamed, and the folder synced. Synchronous on purpose: it must be on disk before the effect that it describes.
 */
export class AtomicFile<S extends z.ZodType> {
  readonly #path: string;
  readonly #schema: S;
  readonly #logger: Logger;
  #written: string | null = null;

  constructor(path: string, schema: S, logger: Logger) {
    this.#path = path;
    this.#schema = schema;
    this.#logger = logger;
    mkdirSync(dirname(path), { recursive: true });
  }

  /**
   * The content, or null if there is none. A file that cannot be understood is set aside and counts as none: an agent
   * without memory only waits for its leader, while one that guesses could fence the wrong cluster.
   */
  read(): z.output<S> | null {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
    const parsed = this.#schema.safeParse(jsonOrUndefined(text));
    if (parsed.success) {
      this.#written = text;
      return parsed.data;
    }
    const aside = `${this.#path}.unreadable`;
    renameSync(this.#path, aside);
    this.#logger.error({ file: this.#path, aside, problem: parsed.error.message }, 'cannot be understood: set aside');
    return null;
  }

  /** Does nothing when the content is on disk already. @throws {DiskError} */
  write(value: z.input<S>): void {
    const text = JSON.stringify(value);
    if (text === this.#written) return;
    try {
      this.#replace(text);
    } catch (cause) {
      throw new DiskError(this.#path, cause);
    }
    this.#written = text;
  }

  #replace(text: string): void {
    const next = `${this.#path}.next`;
    const file = openSync(next, 'w', 0o600);
    try {
      writeFileSync(file, text); // all of it or an error: one write(2) takes what fits, and says so by its count alone
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, this.#path);
    syncFolder(dirname(this.#path));
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
