/** Durations of the lease, all in milliseconds. */
export type LeaseTimings = Readonly<{
  ttlMs: number; // a candidate waits this long on an unchanged row
  renewDeadlineMs: number; // a leader starts nothing later than this after it sent its last good renewal
  retryMs: number; // between two looks at the row, plus up to a fifth of itself
}>;

/** Retries are spread so that candidates do not step in time with each other. */
export const RETRY_JITTER = 0.2;

/**
 * Checks the relations on which "never two leaders that both act" rests, and that one slow renewal does not cost the lease.
 * Throws RangeError with both values.
 */
export function compileTimings(timings: LeaseTimings): LeaseTimings {
  const { ttlMs, renewDeadlineMs, retryMs } = timings;
  for (const [name, value] of Object.entries({ ttlMs, renewDeadlineMs, retryMs })) {
    if (!Number.isFinite(value) || value <= 0) throw new RangeError(`lease ${name} is ${value}: must be above 0`);
  }
  if (ttlMs <= renewDeadlineMs) {
    throw new RangeError(
      `lease ttl ${ttlMs} ms must be above its renew deadline ${renewDeadlineMs} ms: another could lead before this one stops`,
    );
  }
  const slowestRetryMs = retryMs * (1 + RETRY_JITTER);
  if (renewDeadlineMs <= slowestRetryMs) {
    throw new RangeError(
      `lease renew deadline ${renewDeadlineMs} ms must be above retry ${retryMs} ms and a fifth (${slowestRetryMs} ms): it would pass before the first renewal`,
    );
  }
  return Object.freeze({ ttlMs, renewDeadlineMs, retryMs });
}
