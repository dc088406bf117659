import type { Ms } from '#health';
import { monotonicMs, pause } from './deadline.js';
import { KafkaCallError } from './kafka-error.js';
import { otherFailure } from './routed-calls.js';

/** One look at a leader: how far readers see, and how far its own log goes. */
export type LogEnds = Readonly<{ leaderEpoch: number; visible: number; written: number }>;

const POLL_MS = 100;

/**
 * Looks until readers see what was written at the first look: of a log that is written to all the time the two ends never
 * meet. Another leader's log counts anew: it may lack what the first one had, and is all that will ever be read.
 * `look` gives null while the leader cannot say.
 * @throws {KafkaCallError} after `waitMs`.
 */
export async function settled(
  what: string,
  look: () => Promise<LogEnds | null>,
  { waitMs, signal }: Readonly<{ waitMs: Ms; signal: AbortSignal }>,
): Promise<number> {
  const untilMs = monotonicMs() + waitMs;
  let first: LogEnds | null = null;
  for (;;) {
    signal.throwIfAborted();
    const now = await look();
    if (now !== null) {
      if (first?.leaderEpoch !== now.leaderEpoch) first = now;
      if (now.visible >= first.written) return now.visible;
    }
    if (monotonicMs() >= untilMs) throw unsettled(what, waitMs, now);
    await pause(POLL_MS, signal);
  }
}

function unsettled(what: string, waitMs: Ms, now: LogEnds | null): KafkaCallError {
  const seen = now === null ? 'its leader cannot say' : `written up to ${now.written}, visible up to ${now.visible}`;
  const detail = `not settled for ${waitMs} ms (${seen}): replicas in sync do not follow; ask again when they do`;
  return new KafkaCallError(what, otherFailure(detail));
}
