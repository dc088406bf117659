import type { GoalStatus } from '#failover';
import type { AgentMessage } from '#rpc';

/** Results waiting for one controller; above it the session is given up, and a new handshake starts clean. */
const MAX_RESULTS = 256;

/**
 * What waits to be written to one controller. Bounded by its nature: of each goal only the newest status waits, reports
 * are not kept at all (they are made from the book at the moment of writing), and results have a limit.
 */
export class Outbox {
  readonly #statuses = new Map<string, GoalStatus>();
  readonly #statusAtMs = new Map<string, number>();
  readonly #results: Extract<AgentMessage, { kind: 'command_result' }>[] = [];

  /** @returns false when there is no room: the session must end. */
  result(message: Extract<AgentMessage, { kind: 'command_result' }>): boolean {
    if (this.#results.length >= MAX_RESULTS) return false;
    this.#results.push(message);
    return true;
  }

  status(status: GoalStatus, now: number): void {
    this.#statuses.set(status.key, status);
    this.#statusAtMs.set(status.key, now);
  }

  /** The next message, results first; null: nothing waits. */
  next(now: number): AgentMessage | null {
    const result = this.#results.shift();
    if (result !== undefined) return result;
    const first = this.#statuses.entries().next();
    if (first.done) return null;
    const [key, status] = first.value;
    const waitedMs = now - (this.#statusAtMs.get(key) ?? now);
    this.#statuses.delete(key);
    this.#statusAtMs.delete(key);
    return { kind: 'goal_status', status: { ...status, ageMs: status.ageMs + Math.max(0, waitedMs) } };
  }

  clear(): void {
    this.#statuses.clear();
    this.#statusAtMs.clear();
    this.#results.length = 0;
  }
}
