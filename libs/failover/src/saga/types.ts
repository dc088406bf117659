import type { ClusterName, Ms } from '#health';
import type { BlockerName } from '../matrix/blocker-names.js';
import type { RejoinChoice } from '../rejoin/choices.js';
import type { ResolverStrategy } from '../rejoin/resolver.js';

/**
 * `failover`: unplanned, from a dead source. `switchover`: planned, nothing may be lost. `failback`: the switchover that
 * leads home. `rejoin`: the old side comes back as standby; the pointer does not move (source: the active cluster).
 * `rebuild`: the same, with its topics made anew and filled from the active cluster.
 */
export const SAGA_KINDS = ['failover', 'switchover', 'failback', 'rejoin', 'rebuild'] as const;
export type SagaKind = (typeof SAGA_KINDS)[number];

/** Every step of every kind; which kind has which, in what order, is said by the tables (plan.ts). */
export const STEP_NAMES = [
  'confirm',
  'open',
  'check-publishable',
  'announce',
  'settle-groups',
  'drain',
  'settle-transactions',
  'fence-source',
  'catch-up',
  'hold-consumers',
  'stop-replication',
  'freeze-position',
  'set-offsets',
  'check-target',
  'unfence-target',
  'publish',
  'verify-publish',
  'check-returned',
  'list-topics',
  'prove-seam',
  'report-tail',
  'carry-out-choice',
  'exchange-fence',
  'remake-topics',
  'reverse',
  'remember',
  'follow-copy',
  'close',
] as const;
export type StepName = (typeof STEP_NAMES)[number];

export const SAGA_OUTCOMES = [
  'NOT_CONFIRMED',
  'ABORTED',
  'RECOVERED',
  'SOURCE_LOST', // planned only: the source died before publish; its fence is kept and the matrix judges it
  'FAILED',
  'DONE',
  'DONE_WITH_DEBT',
  'NEEDS_OPERATOR',
] as const;
export type SagaOutcome = (typeof SAGA_OUTCOMES)[number];

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
  kind: SagaKind;
  group: string;
  source: ClusterName;
  target: ClusterName;
  row: number;
  trigger: 'auto' | 'operator'; // who and why of an operator's: in the evidence of `open`
  fromEpoch: number;
  epoch: number; // reserved
  term: number; // of the leader that drives it now
  openedAt: string;
  closedAt: string | null;
  outcome: SagaOutcome | null; // null while open
  journal: readonly JournalEntry[];
}>;

/** What a person asked for, or approved; evidence of `open`. */
export type SagaRequest = Readonly<{
  by: string;
  reason: string;
  /** The old side may stay open to applications: without fence 1 or a hook the way back could not be fed otherwise. */
  acceptUnfencedSource: boolean;
  /** Of a proposal: its id, and by whom it was approved, newest last. */
  approval?: ApprovalOrder;
  /** Of a failover that a person orders; absent: the matrix asked for it. */
  force?: ForceOrder;
  /** Of a switchover: when it was to begin, RFC 3339 UTC. */
  at?: string;
  /** Of a rejoin: what becomes of the records that only the returned side holds. */
  rejoin?: RejoinOrder;
}>;

/** What a person accepts and sets aside by name; the table says what may be. Null: no limit of that kind. */
export type ForceOrder = Readonly<{
  acceptLoss: Readonly<{ maxRecords: number | null; maxMs: Ms | null }>;
  override: readonly BlockerName[];
}>;

/** `proposal` null: whichever is open. */
export type ApprovalOrder = Readonly<{ proposal: string | null; identity: string; persons: readonly string[] }>;

export type RejoinOrder = Readonly<{
  choice: RejoinChoice;
  destination: 'file' | 'topic'; // of export
  strategy: ResolverStrategy; // of replay
  priority: readonly ClusterName[]; // of strategy source-priority
  /** Of rebuild: the cluster whose topics are deleted, as a person named it; null: nobody did. */
  confirm: ClusterName | null;
}>;
