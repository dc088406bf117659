import { setTimeout as delay } from 'node:timers/promises';
import { FAST_PROFILE } from '../../../tools/installation/index.js';
import { parseDurationMs } from '#platform';

const PROFILE_MS = (duration: string): number => {
  const ms = parseDurationMs(duration);
  if (ms === null) throw new Error(`${duration} is no duration`);
  return ms;
};

/** Longer than any window of the fast profile, with what detection takes before the window's first sample. */
export const LONGER_THAN_EVERY_WINDOW_MS =
  Math.max(...Object.values(FAST_PROFILE.windows).map(PROFILE_MS)) +
  3 * PROFILE_MS(FAST_PROFILE.probe.period) +
  PROFILE_MS(FAST_PROFILE.probe.timeout);

/**
 * Samples a condition for all of `ms` and fails at its first violation: the opposite of waiting for something.
 * @param check says in words what is violated, or undefined; one that throws fails the test too.
 */
export async function staysFor(
  what: string,
  ms: number,
  check: () => Promise<string | undefined> | string | undefined,
  pollMs = 200,
): Promise<void> {
  const startedMs = performance.now();
  do {
    const violation = await check();
    if (violation !== undefined)
      throw new Error(`${what}: after ${Math.round(performance.now() - startedMs)} of ${ms} ms: ${violation}`);
    await delay(pollMs);
  } while (performance.now() - startedMs < ms);
}
