import type { ClusterName, Ms } from '#health';
import type { ClusterSettings, FlowSettings, Policy, Snapshot, SnapshotFlow } from '../matrix/facts.js';

export type ReadinessLevel = 'ok' | 'warn' | 'blocker' | 'unknown';

/** `fix`: what a person does about it; null where nothing is to be done. */
export type ReadinessLine = Readonly<{ id: string; level: ReadinessLevel; what: string; fix: string | null }>;

export type ConsumerFacts = Readonly<{
  cluster: ClusterName;
  consumerGroup: string;
  lagRecords: number | null;
  committedAgeMs: Ms | null; // since a committed offset was seen to move; null: not seen
}>;

export type ReadinessInput = Readonly<{
  snapshot: Snapshot;
  policy: Policy;
  consumers: readonly ConsumerFacts[];
  consumerGroups: readonly string[]; // that the group is configured with
  principals: readonly string[]; // the same
  clients: Readonly<{ known: number; warnings: readonly string[] }> | null; // null: the config center did not say
}>;

/** Both sides and both directions, worked out once for all checks. */
export type Sides = Readonly<{
  active: ClusterName;
  standby: ClusterName | null;
  forward: SnapshotFlow | null;
  back: SnapshotFlow | null;
  forwardSettings: FlowSettings | null;
  settings(cluster: ClusterName | null): ClusterSettings | null;
}>;

export type ReadinessEstimate = Readonly<{
  windowMs: Ms; // of an IDC that is found dead from outside
  rtoMs: Ms; // window, acting, and the standby's first rebalance
  rpoRecords: number | null;
  rpoMs: Ms | null;
  rereads: readonly Readonly<{ consumerGroup: string; records: number | null }>[]; // null: not known
}>;

export type Readiness = Readonly<{
  ready: boolean; // no blocker
  level: ReadinessLevel; // the worst
  lines: readonly ReadinessLine[]; // worst first
  ifItFailedOverNow: ReadinessEstimate;
}>;

/** What one check found; its `id` comes from the table. */
export type Finding = Readonly<{ level: ReadinessLevel; what: string; fix?: string }>;

/** One thing that can be wrong. An empty answer: it does not apply here. */
export type Check = Readonly<{ id: string; look(input: ReadinessInput, sides: Sides): readonly Finding[] }>;
