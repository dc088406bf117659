import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { cacheFolder } from './paths.js';

/** How long a second run waits for the first one's download before it gives up. */
const LOCK_WAIT_MS = 15 * 60_000;
const LOCK_POLL_MS = 250;

/**
 * Makes `<cache>/<name>` once. `build` fills a temporary folder beside it which is renamed when it is whole,
 * so a killed download never looks like a finished one; a lock file keeps two runs from building at once.
 * @returns the folder's path, and whether it was there already.
 */
export async function cachedFolder(
  name: string,
  build: (folder: string) => Promise<void>,
): Promise<{ readonly folder: string; readonly reused: boolean }> {
  const folder = path.join(cacheFolder(), name);
  if (existsSync(folder)) return { folder, reused: true };
  await mkdir(cacheFolder(), { recursive: true });
  return withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return { folder, reused: true };
    const building = `${folder}.building-${process.pid}`;
    await rm(building, { recursive: true, force: true });
    await mkdir(building, { recursive: true });
    try {
      await build(building);
      await rename(building, folder);
    } finally {
      await rm(building, { recursive: true, force: true });
    }
    return { folder, reused: false };
  });
}

/** Runs `work` while holding `lockFile`. A lock whose owner died is taken over. */
export async function withLock<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + LOCK_WAIT_MS;
  while (!(await tryLock(lockFile))) {
    if (Date.now() > deadline)
      throw new Error(`${lockFile} is held by another run for more than 15 minutes; remove it if no set-up is running`);
    await delay(LOCK_POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function tryLock(lockFile: string): Promise<boolean> {
  try {
    const file = await open(lockFile, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  }
  if (await ownerIsDead(lockFile)) await rm(lockFile, { force: true });
  return false;
}

async function ownerIsDead(lockFile: string): Promise<boolean> {
  try {
    const [text, info] = await Promise.all([readFile(lockFile, 'utf8'), stat(lockFile)]);
    // An empty file is a lock being written this moment, unless it is old.
    if (text.trim() === '') return Date.now() - info.mtimeMs > 10_000;
    return !existsSync(`/proc/${text.trim()}`);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
