import { execFile } from 'node:child_process';
import type { Json } from '#failover';

/** An operator's own question before a planned switch: a program (exit 0: go) or a URL (2xx: go). */
export type PreHook = Readonly<{
  name: string;
  run: Readonly<{ command: readonly [string, ...string[]] }> | Readonly<{ url: string }>;
  timeoutMs: number;
}>;

export type HookAnswer = Readonly<{ go: boolean; said: string }>;
export type RunHook = (hook: PreHook, about: Json, signal: AbortSignal) => Promise<HookAnswer>;

const SAID_CHARS = 500;

/** Gets `about` as JSON, on stdin or as the body. Whoever does not answer in time has not agreed: a planned switch can wait. */
export const runPreHook: RunHook = async (hook, about, signal) => {
  const deadline = AbortSignal.timeout(hook.timeoutMs);
  const both = AbortSignal.any([deadline, signal]);
  const answer = 'url' in hook.run ? post(hook.run.url, about, both) : start(hook.run.command, about, both);
  try {
    return await answer;
  } catch (cause) {
    signal.throwIfAborted();
    if (deadline.aborted) return { go: false, said: `no answer within ${hook.timeoutMs} ms` };
    return { go: false, said: cause instanceof Error ? cause.message : String(cause) };
  }
};

async function post(url: string, about: Json, signal: AbortSignal): Promise<HookAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(about),
    redirect: 'error',
    signal,
  });
  const text = (await response.text()).trim().slice(0, SAID_CHARS);
  return { go: response.ok, said: text === '' ? `status ${response.status}` : text };
}

function start(
  [program, ...args]: readonly [string, ...string[]],
  about: Json,
  signal: AbortSignal,
): Promise<HookAnswer> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { signal, maxBuffer: 1024 * 1024 }, (error, out, err) => {
      const said = `${out}\n${err}`.trim().slice(-SAID_CHARS);
      if (error === null) resolve({ go: true, said });
      else if (typeof error.code === 'number') resolve({ go: false, said: said === '' ? `exit ${error.code}` : said });
      else reject(new Error(`${program} could not be run: ${error.message}`, { cause: error }));
    });
    // A program that does not read its input is none the worse for it.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(JSON.stringify(about));
  });
}
