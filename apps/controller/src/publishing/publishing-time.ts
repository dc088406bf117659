import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '#platform';
import type { FollowerTime } from './follower-sync.js';

export const publishingTime: FollowerTime = {
  monotonicMs: () => systemClock.monotonicMs(),
  sleep: (ms, signal) => delay(ms, undefined, { signal, ref: false }),
  limit: (promise, ms, what) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what}: no answer within ${ms} ms`)), ms);
      promise.then(resolve, reject).finally(() => clearTimeout(timer));
    }),
};
