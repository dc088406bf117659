/** A pause that `signal` can cut short. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Waits for it, and not longer than `ms`. Rejects as it does, if it does so in time. */
export async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  const ended = new AbortController();
  await Promise.race([promise, pause(ms, ended.signal)]).finally(() => ended.abort());
}

/** What a config center may take of the time of a client that leaves. */
export const LEAVE_WITHIN_MS = 2_000;

/** ±20 %, so that a thousand clients that saw the same event do not act in step. */
export function jittered(ms: number): number {
  return ms * (0.8 + 0.4 * Math.random());
}

/** 50, 100, 200 … 1000 ms, jittered: short, because a switch may come at any moment and kafkajs itself never retries. */
export function backoffMs(failures: number): number {
  return jittered(Math.min(1_000, 50 * 2 ** Math.min(failures, 10)));
}
