import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Ms } from '#health';

export type HookOutcome = Readonly<{ exitCode: number | null; said: string }>; // null: it did not end by itself

export class HookError extends Error {
  readonly code = 'POINTSMAN_FENCE_HOOK';
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** What a hook says is for people: the end of it is enough. */
const SAID_CHARACTERS = 500;
/**
 * After its end, or after it was killed, a hook is waited for no longer than this: a process that it started in a session of
 * its own may hold its output open for ever, and one of another user is not ours to kill.
 */
const LAST_WORDS_MS: Ms = 500;

/**
 * Runs an operator's command without a shell. At the time-out, or when the goal was replaced, its whole process group is
 * killed, so that nothing of it acts after its opposite was ordered.
 * @throws {HookError} when it cannot be started
 */
export function runHook(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  timeoutMs: Ms,
  signal?: AbortSignal,
): Promise<HookOutcome> {
  return new Promise((resolve, reject) => {
    const child = start(argv, environment);
    let said = '';
    let lastWords: NodeJS.Timeout | null = null;
    const hear = (chunk: Buffer | string): void => {
      said = (said + chunk.toString()).slice(-SAID_CHARACTERS);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const release = (): void => {
      clearTimeout(timer);
      if (lastWords !== null) clearTimeout(lastWords);
      signal?.removeEventListener('abort', end);
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
    };
    const settle = (exitCode: number | null): void => {
      release();
      resolve({ exitCode, said: said.trim() });
    };
    const end = (): void => {
      hear(killGroup(child.pid));
      lastWords ??= setTimeout(() => settle(null), LAST_WORDS_MS);
    };
    const timer = setTimeout(end, timeoutMs);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
    child.once('error', (cause) => {
      release();
      reject(new HookError(`the hook ${child.spawnfile} cannot be run; look at its path and its rights`, { cause }));
    });
    child.once('exit', (exitCode) => {
      lastWords ??= setTimeout(() => settle(exitCode), LAST_WORDS_MS);
    });
    child.once('close', settle); // all that it said was heard
  });
}

function start(argv: readonly string[], environment: Readonly<Record<string, string>>): Child {
  const [command, ...args] = argv;
  if (command === undefined) throw new HookError('the hook names no command');
  const { PATH, HOME } = process.env;
  try {
    return spawn(command, args, {
      detached: true, // a group of its own, to end its children with it
      env: { ...(PATH === undefined ? {} : { PATH }), ...(HOME === undefined ? {} : { HOME }), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HookError(`the hook ${command} cannot be run: ${why}`, { cause });
  }
}

/** @returns what is to be said of it: a hook that became another user's (sudo) goes on, and only a person can end it. */
function killGroup(pid: number | undefined): string {
  if (pid === undefined) return '';
  try {
    process.kill(-pid, 'SIGKILL');
    return '';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return ''; // ended by itself meanwhile
    return ` (could not be killed: ${error instanceof Error ? error.message : String(error)})`;
  }
}
