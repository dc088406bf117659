import { chown, mkdir } from 'node:fs/promises';
import path from 'node:path';

import pg from 'pg';

import { runCommand, tail, type PostgresBinaries } from '../setup/index.js';
import { ManagedProcess } from './processes.js';
import type { ProxyClient } from './proxy-client.js';
import type { RunFolder } from './run-folder.js';
import type { Unit } from './unit.js';
import { waitFor } from './wait.js';

const TIMEOUT_MS = 60_000;
const DATABASE = 'pointsman';
/** What a server says that is started at once after a SIGKILL: the dead one's children are still on their way out. */
const ORPHANS = /pre-existing shared memory block|lock file "postmaster\.pid" already exists/;

/** The lab's PostgreSQL in IDC c: spawned by ourselves, because the npm library leaves it running when we are killed. */
export class LabPostgres {
  readonly unit: Unit;

  constructor(
    private readonly binaries: PostgresBinaries,
    private readonly folder: RunFolder,
    readonly port: number,
    runId: string,
    proxy: ProxyClient,
  ) {
    const process = new ManagedProcess(
      {
        name: 'postgres',
        command: binaries.postgres,
        args: [
          '-D',
          folder.postgres,
          '-p',
          String(port),
          '-h',
          '127.0.0.1',
          '-c',
          'unix_socket_directories=',
          '-c',
          'max_connections=200',
        ],
        env: this.environment(),
        cwd: '/',
        logFile: path.join(folder.logs, 'postgres.log'),
        deathSignal: 'INT',
        setprivArgs: this.asUser(),
      },
      runId,
    );
    const ready = async (): Promise<void> => {
      await waitFor('postgres answers', () => this.ensureDatabase(), {
        timeoutMs: TIMEOUT_MS,
        giveUp: () => {
          const failure = process.failure();
          if (failure === undefined || !ORPHANS.test(failure)) return failure;
          process.spawn();
          return undefined;
        },
      });
      await proxy.awaitUp([port], TIMEOUT_MS);
    };
    this.unit = { kind: 'postgres', idc: 'c', process, ports: [port], ready };
  }

  static url(port: number): string {
    return `postgres://postgres@127.0.0.1:${port}/${DATABASE}`;
  }

  async prepare(): Promise<void> {
    const { folder, binaries } = this;
    await mkdir(folder.postgres, { recursive: true, mode: 0o700 });
    if (binaries.runAs !== undefined) await chown(folder.postgres, binaries.runAs.uid, binaries.runAs.gid);
    const initdb = ['-D', folder.postgres, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    const result = await runCommand('setpriv', [...this.asUser(), '--', binaries.initdb, ...initdb], {
      cwd: '/',
      env: { ...process.env, ...this.environment() },
      timeoutMs: TIMEOUT_MS,
    });
    if (result.code !== 0) throw new Error(`initdb failed:\n${tail(result.stdout + result.stderr)}`);
  }

  private environment(): Record<string, string> {
    const { libraryPath = '' } = this.binaries;
    return libraryPath === '' ? {} : { LD_LIBRARY_PATH: libraryPath };
  }

  private asUser(): string[] {
    const { runAs } = this.binaries;
    return runAs === undefined ? [] : ['--reuid', String(runAs.uid), '--regid', String(runAs.gid), '--clear-groups'];
  }

  private async ensureDatabase(): Promise<true> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.port,
      user: 'postgres',
      database: 'postgres',
      connectionTimeoutMillis: 2_000,
    });
    // An unheard 'error' ends the process; a broken connection here is one more "not yet".
    client.on('error', () => undefined);
    await client.connect();
    try {
      const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
      if (rowCount === 0) await client.query(`create database ${DATABASE}`);
      return true;
    } finally {
      await client.end();
    }
  }
}
