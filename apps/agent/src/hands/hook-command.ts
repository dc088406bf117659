import { spawn } from 'node:child_process';
import type { Ms } from '#health';

export type HookOutcome = Readonly<{ exitCode: number | null; said: string }>; // null: it did not end by itself

export class HookError extends Error {
  readonly code = 'POINTSMAN_FENCE_HOOK';
}

/** What a hook says is for people: the end of it is enough. */
const SAID_CHARACTERS = 500;

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
  const [command, ...args] = argv;
  if (command === undefined) throw new HookError('the hook names no command');
  const { PATH, HOME } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      detached: true, // a group of its own, to end its children with it
      env: { ...(PATH === undefined ? {} : { PATH }), ...(HOME === undefined ? {} : { HOME }), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const hear = (chunk: Buffer): void => {
      said = (said + chunk.toString('utf8')).slice(-SAID_CHARACTERS);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const end = (): void => killGroup(child.pid);
    const timer = setTimeout(end, timeoutMs);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
    const release = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
    };
    child.once('error', (cause) => {
      release();
      reject(new HookError(`the hook ${command} cannot be run; look at its path and its rights`, { cause }));
    });
    child.once('close', (exitCode) => {
      release();
      resolve({ exitCode, said: said.trim() });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error; // ended by itself meanwhile
  }
}
