import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Check } from './check.js';

const TIMEOUT_MS = 20_000;
const KIND = /^kind:\s*["']?(Controller|Agent)["']?\s*(#.*)?$/m;

/**
 * Lets the application that will read the file judge it: the same code, of the same version, and no configuration rule
 * lives twice. Its checker prints one line per problem.
 */
export const checkConfigFile = async (file: string, signal: AbortSignal): Promise<Check[]> => {
  const name = `config ${file}`;
  const bad = (found: string, remedy: string): Check => ({ name, ok: false, found, remedy });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (e) {
    return [bad(e instanceof Error ? e.message : String(e), 'name a readable file')];
  }
  const kind = KIND.exec(text)?.[1];
  if (kind === undefined) return [bad('no kind: Controller or kind: Agent in it', 'say which of the two it is')];
  const checker = new URL(`../../../${kind.toLowerCase()}/src/config/check.js`, import.meta.url);
  const problems = await run(fileURLToPath(checker), file, signal);
  if (problems.length === 0) return [{ name, ok: true, found: `a valid ${kind} configuration`, remedy: null }];
  return problems.map((line) => ({ name: 'config', ok: false, found: line, remedy: null }));
};

const run = (checker: string, file: string, signal: AbortSignal): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, [checker, file], { timeout: TIMEOUT_MS, signal }, (error, stdout, stderr) => {
      const lines = stdout.split('\n').filter(Boolean);
      if (!error) return resolve([]);
      if (error.code === 2 && lines.length > 0) return resolve(lines);
      reject(new Error(`the configuration checker failed: ${stderr.trim() || error.message}`, { cause: error }));
    });
  });
