import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { checkoutRoot } from '../setup/paths.js';

const OWNER_FILE = 'owner.json';

export type RunFolder = {
  readonly dir: string;
  readonly logs: string;
  /** Outside the checkout, because PostgreSQL under root runs as another user who may not enter it. */
  readonly postgres: string;
};

/** Makes the folder of one run, and removes those of runs whose process was killed before it could. */
export async function createRunFolder(runId: string): Promise<RunFolder> {
  const runs = path.join(checkoutRoot(), '.runs');
  await mkdir(runs, { recursive: true });
  await removeAbandoned(runs);
  const dir = path.join(runs, runId);
  const logs = path.join(dir, 'logs');
  await mkdir(logs, { recursive: true });
  const folder = { dir, logs, postgres: path.join(os.tmpdir(), `pointsman-${runId}-postgres`) };
  await writeFile(path.join(dir, OWNER_FILE), JSON.stringify({ pid: process.pid, postgres: folder.postgres }));
  return folder;
}

export async function removeRunFolder(folder: RunFolder): Promise<void> {
  await rm(folder.postgres, { recursive: true, force: true, maxRetries: 5 });
  await rm(folder.dir, { recursive: true, force: true, maxRetries: 5 });
}

/** Keeps the folder after the end: it no longer has an owner whose death would remove it. */
export async function keepRunFolder(folder: RunFolder): Promise<void> {
  await rm(path.join(folder.dir, OWNER_FILE), { force: true });
}

async function removeAbandoned(runs: string): Promise<void> {
  for (const name of await readdir(runs)) {
    const owner = await readOwner(path.join(runs, name, OWNER_FILE));
    if (owner === undefined || existsSync(`/proc/${owner.pid}`)) continue;
    await rm(owner.postgres, { recursive: true, force: true });
    await rm(path.join(runs, name), { recursive: true, force: true });
  }
}

async function readOwner(file: string): Promise<{ readonly pid: number; readonly postgres: string } | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
  const value: unknown = JSON.parse(text === '' ? '{}' : text);
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('postgres' in value)) return undefined;
  const { pid, postgres } = value;
  return typeof pid === 'number' && typeof postgres === 'string' && postgres.startsWith(os.tmpdir())
    ? { pid, postgres }
    : undefined;
}
