import path from 'node:path';

import { cachedFolder } from './cached-folder.js';
import { progressToStderr, type Progress } from './progress.js';
import { commandExists, runCommand, tail } from './run-command.js';
import { SetupError } from './setup-error.js';

const TIMEOUT_MS = 10 * 60_000;

type Wanted = Readonly<{
  folder: string; // in the cache; names the version
  says: string; // what is fetched, for people
  arguments: readonly string[]; // of `pip install`
}>;

/** @returns a Python with packages of PyPI, in a virtual environment of its own in the cache. Use `-m`: its scripts point elsewhere. */
export async function pythonWith(wanted: Wanted, onProgress: Progress = progressToStderr): Promise<string> {
  const { folder } = await cachedFolder(wanted.folder, async (building) => {
    const remedy = 'Install it with `apt-get install python3-venv`';
    if (!(await commandExists('python3'))) throw new SetupError('`python3` is not on the PATH', remedy);
    onProgress(`${wanted.says} from PyPI`);
    const made = await runCommand('python3', ['-m', 'venv', building], { timeoutMs: TIMEOUT_MS });
    if (made.code !== 0) throw new SetupError(`Python makes no virtual environment: ${tail(made.stderr)}`, remedy);
    const args = ['-m', 'pip', 'install', '--quiet', ...wanted.arguments];
    const fetched = await runCommand(python(building), args, { timeoutMs: TIMEOUT_MS });
    if (fetched.code !== 0)
      throw new SetupError(`pip: ${tail(fetched.stderr)}`, 'Look at the network and run it again');
  });
  return python(folder);
}

const python = (folder: string): string => path.join(folder, 'bin/python');
