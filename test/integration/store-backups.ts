import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureDebianPostgres, type Lab, type LabOptions } from '#lab';
import { shellBlock } from '../docs/shell-blocks.js';

const run = promisify(execFile);

/** A way of docs/operations.md to back the store up, and the way back, as a person does them; no controller runs meanwhile. */
export type StoreBackup = Readonly<{
  name: string;
  postgres: NonNullable<LabOptions['postgres']>;
  backUp: (lab: Lab) => Promise<void>;
  restore: (lab: Lab) => Promise<void>;
}>;

const copied = (lab: Lab): string => join(lab.dir, 'backup');
const copy = (from: string, to: string) => run('cp', ['-a', `${from}/.`, to]);

const dataDirectory: StoreBackup = {
  name: 'a copy of the data directory',
  postgres: true,
  backUp: async (lab) => {
    await lab.kill({ postgres: true });
    await run('mkdir', ['-m', '700', copied(lab)]);
    await copy(lab.postgresDataDir, copied(lab));
    await lab.start({ postgres: true });
  },
  restore: async (lab) => {
    await lab.kill({ postgres: true });
    await run('find', [lab.postgresDataDir, '-mindepth', '1', '-delete']);
    await copy(copied(lab), lab.postgresDataDir);
    await lab.start({ postgres: true });
  },
};

/** The page's own commands, in a folder that holds `store.url`. */
async function typed(lab: Lab, use: string): Promise<void> {
  const { bin, libraryPath } = await ensureDebianPostgres();
  const cwd = copied(lab);
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, 'store.url'), `${await lab.postgresUrl('c')}\n`, { mode: 0o600 });
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  await run('bash', ['-euo', 'pipefail', '-c', shellBlock('operations.md', use)], {
    cwd,
    env: libraryPath === '' ? env : { ...env, LD_LIBRARY_PATH: libraryPath },
  });
}

const dump: StoreBackup = {
  name: 'pg_dump and pg_restore',
  postgres: 'debian',
  backUp: (lab) => typed(lab, 'backup'),
  restore: (lab) => typed(lab, 'restore'),
};

export const STORE_BACKUPS: readonly StoreBackup[] = [dataDirectory, dump];
