import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { libraryPathOf, unpackedFromDebian } from './debian.js';
import { type PostgresBinaries, unprivilegedUser } from './postgres.js';
import { progressToStderr, type Progress } from './progress.js';
import { SetupError } from './setup-error.js';

export type DebianPostgres = PostgresBinaries &
  Readonly<{
    /** Holds `pg_dump` and `pg_restore` too, of the server's version. */
    bin: string;
    libraryPath: string;
  }>;

const BY_VERSION = 'usr/lib/postgresql';
const PROGRAMS = ['initdb', 'postgres', 'pg_dump', 'pg_restore'];

/**
 * @returns a PostgreSQL with a client of its own version: `pg_dump` refuses a server that is newer than itself, and the npm
 * package holds a server only. The one that is installed on this machine, else unpacked from Debian packages into the cache.
 */
export async function ensureDebianPostgres(onProgress: Progress = progressToStderr): Promise<DebianPostgres> {
  const installed = wholeBelow('/');
  const root =
    installed === undefined
      ? await unpackedFromDebian({
          folder: 'postgres-debian',
          packages: ['postgresql', 'postgresql-client'],
          withDependencies: true,
          programs: [],
          says: 'PostgreSQL with its client (about 20 MB, once)',
          onProgress,
        })
      : '/';
  const bin = installed ?? wholeBelow(root);
  if (bin === undefined)
    throw new SetupError(
      `a PostgreSQL server with a client of its version is neither installed nor in ${root}`,
      'Install `postgresql` and `postgresql-client`',
    );
  return {
    initdb: path.join(bin, 'initdb'),
    postgres: path.join(bin, 'postgres'),
    runAs: unprivilegedUser(),
    bin,
    libraryPath: root === '/' ? '' : libraryPathOf(root),
  };
}

/** The newest version of which every program is there. */
function wholeBelow(root: string): string | undefined {
  const folder = path.join(root, BY_VERSION);
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .toSorted((x, y) => Number(y) - Number(x))
    .map((version) => path.join(folder, version, 'bin'))
    .find((bin) => PROGRAMS.every((program) => existsSync(path.join(bin, program))));
}
