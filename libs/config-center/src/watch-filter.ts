import { ConfigCenterError, toError } from './errors.js';
import { samePointer } from './pointer-schema.js';
import type { Pointer } from './port.js';

/**
 * Turns "what lies there now", seen any number of times, into the watch contract: each pointer once, epochs never
 * falling, one error per interruption however often it is retried. A changed content under the same epoch is passed
 * on, because only the reader can tell the alarm about it (I5).
 */
export function createWatchFilter(onPointer: (p: Pointer) => void, onError?: (e: Error) => void) {
  let last: Pointer | null = null;
  let interrupted = false;
  let toldBackTo: number | null = null;
  return {
    /** True if it was news, and has been passed on. */
    seen(p: Pointer | null): boolean {
      interrupted = false;
      if (p === null) return false;
      if (last !== null && p.epoch < last.epoch) {
        if (toldBackTo === p.epoch) return false;
        toldBackTo = p.epoch;
        onError?.(
          new ConfigCenterError(
            'WENT_BACK',
            `group ${p.group}: the config center went back from epoch ${last.epoch} to ${p.epoch}; ignored`,
            'was it restored from a backup? The controllers freeze the group until a person acknowledges',
          ),
        );
        return false;
      }
      if (last !== null && p.epoch === last.epoch && samePointer(p, last)) return false;
      last = p;
      toldBackTo = null;
      onPointer(p);
      return true;
    },
    failed(e: unknown): void {
      if (interrupted) return;
      interrupted = true;
      onError?.(toError(e));
    },
  };
}

export type WatchFilter = ReturnType<typeof createWatchFilter>;

/** A pause that a stop can cut short. Never rejects. */
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

/** ±20 %: a thousand clients that lost the center together must not ask again together. */
export function jittered(ms: number, random: () => number = Math.random): number {
  return ms * (0.8 + 0.4 * random());
}
