import type { Ms } from '#health';
import type { ConnectorStatus } from '#kafka';

const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 300_000;
const MOST_RESTARTS = 8; // about 20 minutes; then a person must look
/** A connector that was not seen failed for this long starts a new count. */
const WELL_AFTER_MS = 600_000;

type Count = { restarts: number; lastMs: Ms; seenFailedMs: Ms };

/** Whether anything of a connector that should run has failed: Connect restarts nothing by itself. */
export const hasFailed = (s: ConnectorStatus): boolean =>
  s.state === 'FAILED' || (s.state === 'RUNNING' && s.tasks.some((t) => t.state === 'FAILED'));

/**
 * How often failed tasks of a connector may be restarted: after pauses that double, and not for ever. A task that dies of
 * its data would else be restarted as fast as it dies, with all the copying that it repeats. In memory: a new process
 * of the agent counts anew.
 */
export class TaskRestarts {
  readonly #counts = new Map<string, Count>();

  /** Null: due now, and counted; else why not. */
  take(name: string, nowMs: Ms): string | null {
    const known = this.#counts.get(name);
    if (known === undefined || nowMs - known.seenFailedMs >= WELL_AFTER_MS) {
      this.#counts.set(name, { restarts: 1, lastMs: nowMs, seenFailedMs: nowMs });
      return null;
    }
    known.seenFailedMs = nowMs;
    if (known.restarts >= MOST_RESTARTS) return `restarted ${known.restarts} times in vain: restart it by hand`;
    const dueAtMs = known.lastMs + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (known.restarts - 1));
    if (nowMs < dueAtMs) return `restarted ${known.restarts} of ${MOST_RESTARTS} times`;
    Object.assign(known, { restarts: known.restarts + 1, lastMs: nowMs });
    return null;
  }
}
