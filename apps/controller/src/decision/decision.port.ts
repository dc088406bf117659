import type { Decision, Snapshot } from '#failover';

/** The newest decision per group, for the API, metrics and the saga's confirm step. */
export interface Decisions {
  latest(group: string): Readonly<{ snapshot: Snapshot; decision: Decision }> | null;
  /** Evaluates now on a fresh snapshot, without side effects. */
  evaluate(group: string): Readonly<{ snapshot: Snapshot; decision: Decision }>;
}

export const DECISIONS = Symbol('Decisions');
