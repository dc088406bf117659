import path from 'node:path';

import { cachedFolder } from './cached-folder.js';
import { progressToStderr, type Progress } from './progress.js';
import { commandExists, runCommand, tail } from './run-command.js';
import { SetupError } from './setup-error.js';

const VERSION = '2.12.2';
const TIMEOUT_MS = 10 * 60_000;

/** @returns a Python with librdkafka (confluent-kafka of PyPI) in a virtual environment of its own in the cache. */
export async function ensureLibrdkafka(onProgress: Progress = progressToStderr): Promise<string> {
  const { folder } = await cachedFolder(`confluent-kafka-${VERSION}`, async (building) => {
    const remedy = 'Install it with `apt-get install python3-venv`';
    if (!(await commandExists('python3'))) throw new SetupError('`python3` is not on the PATH', remedy);
    onProgress(`librdkafka ${VERSION} from PyPI (about 5 MB, once)`);
    const made = await runCommand('python3', ['-m', 'venv', building], { timeoutMs: TIMEOUT_MS });
    if (made.code !== 0) throw new SetupError(`Python makes no virtual environment: ${tail(made.stderr)}`, remedy);
    const args = ['-m', 'pip', 'install', '--quiet', `confluent-kafka==${VERSION}`];
    const fetched = await runCommand(python(building), args, { timeoutMs: TIMEOUT_MS });
    if (fetched.code !== 0)
      throw new SetupError(`pip: ${tail(fetched.stderr)}`, 'Look at the network and run it again');
  });
  return python(folder);
}

const python = (folder: string): string => path.join(folder, 'bin/python');
