import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const TIMEOUT_MS = 20_000;

type Asking = Readonly<{ signal: AbortSignal; input?: string; timeoutMs?: number }>;

/**
 * Runs a program of the application that owns the file, of the same version: what it knows of its configuration, its clusters
 * and its credentials lives in no second place. `refused`: it said, a line each, what is wrong with the file.
 * @param program below the application's folder, without `.js`
 */
export const askApp = (
  kind: 'Controller' | 'Agent',
  program: string,
  file: string,
  { signal, input = '', timeoutMs = TIMEOUT_MS }: Asking,
): Promise<Readonly<{ refused: boolean; lines: readonly string[] }>> =>
  new Promise((resolve, reject) => {
    const path = fileURLToPath(new URL(`../../../${kind.toLowerCase()}/src/${program}.js`, import.meta.url));
    const child = execFile(
      process.execPath,
      [path, file],
      { timeout: timeoutMs, signal, maxBuffer: MAX_ANSWER_BYTES },
      (error, stdout, stderr) => {
        const lines = stdout.split('\n').filter(Boolean);
        if (!error) return resolve({ refused: false, lines });
        if (error.code === 2 && lines.length > 0) return resolve({ refused: true, lines });
        reject(new Error(`${program} of ${file} failed: ${stderr.trim() || error.message}`, { cause: error }));
      },
    );
    child.stdin?.on('error', () => undefined); // a program that ended before it read: its exit status tells
    child.stdin?.end(input);
  });

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
