import type { Decision, Snapshot } from '#failover';

export type Evaluation = Readonly<{ snapshot: Snapshot; decision: Decision }>;

/** The newest decision per group, for the API, metrics and the saga's confirm step. */
export interface Decisions {
  latest(group: string): Evaluation | null;
  /** Evaluates now on a fresh snapshot, without side effects. */
  evaluate(group: string): Evaluation;
  /** The incident that alerts about the active cluster's death belong to: one from suspicion to the saga's end. */
  failoverIncident(group: string): string;
  /** The incident of an old primary's return. To ask is to tell of it: it goes on, or a new one begins if it was over. */
  returnIncident(group: string): string;
}

export const DECISIONS = Symbol('Decisions');
