import { expect, it } from 'vitest';
import { compileTimings } from './lease-timings.js';

const good = { ttlMs: 10_000, renewDeadlineMs: 6_000, retryMs: 2_000 };

it('takes the defaults and freezes them', () => {
  const compiled = compileTimings(good);
  expect(compiled).toEqual(good);
  expect(Object.isFrozen(compiled)).toBe(true);
});

it.each([
  [{ ...good, ttlMs: 6_000 }, /ttl 6000 ms .* renew deadline 6000 ms/],
  [{ ...good, renewDeadlineMs: 12_000 }, /ttl 10000 ms .* renew deadline 12000 ms/],
  [{ ...good, retryMs: 5_000 }, /renew deadline 6000 ms .* retry 5000 ms/],
  [{ ...good, retryMs: 0 }, /retryMs is 0/],
  [{ ...good, ttlMs: Number.NaN }, /ttlMs is NaN/],
])('refuses relations that allow two leaders: %o', (timings, message) => {
  expect(() => compileTimings(timings)).toThrow(message);
});
