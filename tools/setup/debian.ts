import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

import { cachedFolder } from './cached-folder.js';
import type { Progress } from './progress.js';
import { commandExists, runCommand, tail } from './run-command.js';
import { SetupError } from './setup-error.js';

const TIMEOUT_MS = 5 * 60_000;

export type DebianUnpack = Readonly<{
  /** Folder under the cache. */
  folder: string;
  packages: readonly string[];
  /** False where the programs lean on nothing but libc: their packages' recommendations and fonts stay away. */
  withDependencies: boolean;
  /** Must be there afterwards, relative to the folder. */
  programs: readonly string[];
  /** For people: `etcd … (about 15 MB, once)`. */
  says: string;
  onProgress: Progress;
  /** What else must be done to the unpacked files before the folder counts as whole. */
  finish?: (folder: string) => Promise<void>;
}>;

/**
 * Unpacks Debian packages into the cache: nothing is installed, no service starts, no root needed. With no package lists
 * on the machine, private ones are fetched into the cache folder first.
 * @returns the folder. Throws {@link SetupError} with what to do.
 */
export async function unpackedFromDebian(what: DebianUnpack): Promise<string> {
  const { folder } = await cachedFolder(what.folder, async (building) => {
    for (const command of ['apt-get', 'dpkg']) {
      if (await commandExists(command)) continue;
      throw new SetupError(
        `${what.packages.join(', ')}: unpacked from Debian packages, \`${command}\` is not on the PATH`,
        'Run the tests on Debian or Ubuntu',
      );
    }
    what.onProgress(`downloading ${what.says}, from Debian packages (nothing is installed)`);
    const debs = path.join(building, '.debs');
    await mkdir(debs, { recursive: true });
    const apt = await aptOptions(what, building);
    await mustRun('apt-get', [...apt, 'download', ...(await packagesOf(what, apt))], debs);
    for (const deb of await readdir(debs)) await mustRun('dpkg', ['-x', path.join(debs, deb), building], building);
    for (const scratch of ['.debs', '.apt']) await rm(path.join(building, scratch), { recursive: true, force: true });
    for (const program of what.programs) {
      if (existsSync(path.join(building, program))) continue;
      throw new SetupError(
        `the Debian packages ${what.packages.join(', ')} hold no ${program}`,
        `Check \`apt-cache policy ${what.packages[0] ?? ''}\``,
      );
    }
    await what.finish?.(building);
  });
  return folder;
}

/** Where unpacked programs find the shared libraries that this machine lacked. */
export const libraryPathOf = (folder: string): string =>
  path.join(folder, 'usr/lib', process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu');

/** The machine's own package lists if they know the packages, else private ones (needs no root, changes nothing outside). */
async function aptOptions({ packages, onProgress }: DebianUnpack, building: string): Promise<readonly string[]> {
  const known = await runCommand('apt-get', ['install', '-s', '--no-install-recommends', ...packages], {
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

/** Exactly the packages that this machine lacks, the wanted ones among them. */
async function packagesOf({ packages, withDependencies }: DebianUnpack, apt: readonly string[]): Promise<string[]> {
  if (!withDependencies) return [...packages];
  const { stdout } = await mustRun('apt-get', [...apt, 'install', '-s', '--no-install-recommends', ...packages], '/');
  const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]).filter((name) => name !== undefined);
  return [...new Set([...packages, ...missing])];
}

async function mustRun(command: string, args: readonly string[], cwd: string): Promise<{ readonly stdout: string }> {
  const result = await runCommand(command, args, { cwd, timeoutMs: TIMEOUT_MS });
  if (result.code === 0) return result;
  throw new SetupError(
    `${command} ${args.at(-2) ?? ''} ${args.at(-1) ?? ''} failed: ${tail(result.stderr, 2)}`,
    'Run `apt-get update` as root and try again',
  );
}
