import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

import { cachedFolder } from './cached-folder.js';
import { progressToStderr, type Progress } from './progress.js';
import { commandExists, runCommand, tail } from './run-command.js';
import { SetupError } from './setup-error.js';

export type EtcdBinaries = { readonly etcd: string; readonly libraryPath: string };

const PACKAGES = ['etcd-server', 'etcd-client'];
const TIMEOUT_MS = 5 * 60_000;

/**
 * @returns etcd's program, unpacked from the Debian packages into the cache; nothing is installed, no service starts.
 * With no root and no package lists, private lists are fetched into the cache folder first.
 */
export async function ensureEtcd(onProgress: Progress = progressToStderr): Promise<EtcdBinaries> {
  const { folder } = await cachedFolder('etcd-debian', async (building) => {
    for (const command of ['apt-get', 'dpkg']) {
      if (!(await commandExists(command)))
        throw new SetupError(
          `etcd is unpacked from Debian packages, \`${command}\` is not on the PATH`,
          'Run the tests on Debian or Ubuntu',
        );
    }
    onProgress('downloading etcd from Debian packages (about 15 MB, once; nothing is installed)');
    const debs = path.join(building, '.debs');
    await mkdir(debs, { recursive: true });
    const apt = await aptOptions(building, onProgress);
    await mustRun('apt-get', [...apt, 'download', ...(await closure(apt))], debs);
    for (const deb of await readdir(debs)) await mustRun('dpkg', ['-x', path.join(debs, deb), building], building);
    for (const scratch of ['.debs', '.apt']) await rm(path.join(building, scratch), { recursive: true, force: true });
    if (!existsSync(path.join(building, 'usr/bin/etcd')))
      throw new SetupError('the Debian packages of etcd hold no usr/bin/etcd', 'Check `apt-cache policy etcd-server`');
  });
  return {
    etcd: path.join(folder, 'usr/bin/etcd'),
    libraryPath: path.join(folder, 'usr/lib', process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'),
  };
}

/** The machine's own package lists if they know etcd, else private ones (needs no root, and changes nothing outside). */
async function aptOptions(building: string, onProgress: Progress): Promise<readonly string[]> {
  const known = await runCommand('apt-get', ['install', '-s', '--no-install-recommends', ...PACKAGES], {
    timeoutMs: TIMEOUT_MS,
  });
  if (known.code === 0) return ['-o', 'Debug::NoLocking=1'];
  const apt = path.join(building, '.apt');
  await mkdir(path.join(apt, 'lists/partial'), { recursive: true });
  await mkdir(path.join(apt, 'cache/archives/partial'), { recursive: true });
  const options = ['-o', `Dir::State::lists=${apt}/lists`, '-o', `Dir::Cache=${apt}/cache`, '-o', 'Debug::NoLocking=1'];
  onProgress('fetching Debian package lists into the cache folder');
  await mustRun('apt-get', [...options, 'update'], building);
  return options;
}

/** Exactly the packages that this machine lacks, etcd's own among them. */
async function closure(apt: readonly string[]): Promise<string[]> {
  const { stdout } = await mustRun('apt-get', [...apt, 'install', '-s', '--no-install-recommends', ...PACKAGES], '/');
  const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]).filter((name) => name !== undefined);
  return [...new Set([...PACKAGES, ...missing])];
}

async function mustRun(command: string, args: readonly string[], cwd: string): Promise<{ readonly stdout: string }> {
  const result = await runCommand(command, args, { cwd, timeoutMs: TIMEOUT_MS });
  if (result.code === 0) return result;
  throw new SetupError(
    `${command} ${args.at(-2) ?? ''} ${args.at(-1) ?? ''} failed: ${tail(result.stderr, 2)}`,
    'Run `apt-get update` as root and try again',
  );
}
