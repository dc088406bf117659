import type { Ms } from '#health';

/** Our own deadline passed. Told apart from everything a broker says: only this one means "silent". */
export class DeadlineError extends Error {
  readonly code = 'POINTSMAN_DEADLINE';
  constructor(what: string, afterMs: Ms, options?: ErrorOptions) {
    super(`${what} gave no answer within ${afterMs} ms`, options);
    this.name = 'DeadlineError';
  }
}

/** Monotonic milliseconds: ages and latencies never come from the wall clock. */
export const monotonicMs = (): Ms => performance.now();

/** Settles with `work`, or rejects with a {@link DeadlineError} after `deadlineMs`. The only timer of this library's calls. */
export function withDeadline<T>(what: string, work: Promise<T>, deadlineMs: Ms, onExpired?: () => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new DeadlineError(what, deadlineMs));
      onExpired?.();
    }, deadlineMs);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

/** A pause between two reads of a read-back loop; ends early when the signal aborts. */
export function pause(ms: Ms, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
