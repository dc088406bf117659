import type { ClusterName, Ms } from '#health';

/** The steps of an unplanned failover, in order. `publish` is the point of no return. */
export const FAILOVER_STEPS = [
  'confirm',
  'open',
  'check-publishable',
  'announce',
  'fence-source',
  'stop-replication',
  'freeze-position',
  'set-offsets',
  'check-target',
  'unfence-target',
  'publish',
  'verify-publish',
  'remember',
  'close',
] as const;
export type StepName = (typeof FAILOVER_STEPS)[number];

export type SagaOutcome =
  'NOT_CONFIRMED' | 'ABORTED' | 'RECOVERED' | 'FAILED' | 'DONE' | 'DONE_WITH_DEBT' | 'NEEDS_OPERATOR';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type JournalEntry = Readonly<{
  seq: number; // 1, 2, 3 … within the saga
  step: StepName;
  direction: 'do' | 'undo';
  event: 'intent' | 'done' | 'failed';
  term: number;
  at: string; // RFC 3339 UTC
  deadlineMs: Ms | null; // with an intent: how long the step may take
  evidence: Json; // with done and failed: what was seen in the world
}>;

export type SagaRecord = Readonly<{
  id: string; // UUIDv7
  kind: 'failover';
  group: string;
  source: ClusterName;
  target: ClusterName;
  row: number;
  trigger: 'auto';
  fromEpoch: number;
  epoch: number; // reserved
  term: number; // of the leader that drives it now
  openedAt: string;
  closedAt: string | null;
  outcome: SagaOutcome | null; // null while open
  journal: readonly JournalEntry[];
}>;
