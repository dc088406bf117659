import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '#platform';

/** Time as sagas need it: two clocks and a sleep that ends at once with the signal, so that tests own all waiting. */
export interface SagaTime {
  monotonicMs(): number;
  wallMs(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Aborts after `ms` with a {@link DeadlinePassed}, unless stopped before. */
  deadline(ms: number): Readonly<{ signal: AbortSignal; stop: () => void }>;
}

export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
  constructor(readonly ms: number) {
    super(`not done within ${ms} ms`);
  }
}

export const systemTime: SagaTime = {
  ...systemClock,
  sleep: (ms, signal) => delay(ms, undefined, { signal, ref: false }),
  deadline: (ms) => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new DeadlinePassed(ms)), ms);
    return { signal: controller.signal, stop: () => clearTimeout(timer) };
  },
};

/**
 * Waits for `promise` no longer than `signal` allows. The promise itself is left alone: whoever made it has its own
 * deadline; what it would still do is guarded by term and epoch at the other end.
 */
export function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined); // its outcome no longer matters to anyone
    return Promise.reject(reasonOf(signal));
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(reasonOf(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

export const reasonOf = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));

/** Whether the wait ended because the step's own time was up (and not because leadership was lost). */
export const isDeadline = (signal: AbortSignal): boolean => signal.aborted && signal.reason instanceof DeadlinePassed;

/** How long what clients were told last still binds them, by this clock. */
export function modeClock(
  time: Pick<SagaTime, 'monotonicMs'>,
): Readonly<{ leftMs: () => number; told: (maxMs: number) => void }> {
  let untilMs = Number.NEGATIVE_INFINITY;
  return {
    leftMs: () => Math.max(0, untilMs - time.monotonicMs()),
    told: (maxMs) => {
      untilMs = time.monotonicMs() + maxMs;
    },
  };
}
