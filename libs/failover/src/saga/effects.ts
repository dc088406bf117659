import type { ClusterName, Ms } from '#health';
import type { TranslateCommand, TranslatedOutput } from '../offsets/translate-command.js';
import type { ConnectorNames, GroupOffset, OffsetRange, PartitionOffset, TopicPartition } from './positions.js';
import type { RebuildCommand, RebuildOutput } from './rebuild-effects.js';
import type { TailCommand, TailOutput } from './tail-effects.js';
import type { TransactionCommand, TransactionOutput } from './transaction-effects.js';

/** What controllers ask of agents: goals (states kept true) and commands (one effect, one result). Plain data. */

/** Topic → `max.message.bytes` before fence 2; null: it had none of its own. */
export type PreviousValues = Readonly<Record<string, string | null>>;

/** How a cluster is closed to applications, strongest first. */
export const FENCE_KINDS = ['acl', 'topic-config', 'hook'] as const;
export type FenceKind = (typeof FENCE_KINDS)[number];

export type ClusterGoal = Readonly<{
  subject: 'cluster';
  group: string;
  cluster: ClusterName;
  state: 'fenced' | 'open';
  epoch: number;
  term: number;
  topics: readonly string[]; // literal or trailing *; the check topic is included by the sender
  /**
   * Of a fence: the kinds that may be in force; absent: any. `fenced` with `['acl', 'hook']` is how `topic-config` is
   * exchanged before a flow writes to that cluster (it stops MirrorMaker too): the new fence is read back before the old
   * one is lifted, and the goal is reached only when no other kind of ours is left.
   */
  kinds?: readonly FenceKind[];
  /**
   * Of a fence: consumer groups that are to be refused there, where the cluster has an authorizer: an old side that was left, so
   * that who follows no pointer does not go on reading copies. What cannot be refused is said, and keeps no fence from being reached.
   */
  deniedGroups?: readonly string[];
  /** Of an opening: what other agents remember of topics that they closed by fence 2, as {@link GoalStatus.previous}; absent: nothing. */
  previous?: PreviousValues;
}>;

export type FlowGoal = Readonly<{
  subject: 'flow';
  group: string;
  from: ClusterName;
  to: ClusterName; // carried out on this cluster's Connect worker
  state: 'running' | 'stopped';
  epoch: number;
  term: number;
  connectors: ConnectorNames;
}>;

export type Goal = ClusterGoal | FlowGoal;

export const flowKey = (group: string, from: ClusterName, to: ClusterName): string => `${group}/flow/${from}->${to}`;

/** Stable identity of a goal: one goal per group and subject. */
export const goalKey = (g: Goal): string =>
  g.subject === 'cluster' ? `${g.group}/cluster/${g.cluster}` : flowKey(g.group, g.from, g.to);

/**
 * `refused`: of flows only; their Connect worker refused every connection in readings at least 2 s apart, so nothing of the
 * flow runs there. A worker that is silent is `unknown`: it may still copy.
 */
export type GoalStatus = Readonly<{
  key: string; // goalKey
  wanted: Goal['state'];
  observed: 'fenced' | 'open' | 'partial' | 'foreign' | 'running' | 'stopped' | 'refused' | 'unknown';
  reached: boolean;
  epoch: number;
  term: number;
  ageMs: Ms; // since `observed` was read back
  detail: string;
  previous: PreviousValues; // what this agent's disk holds of the goal's group and cluster
  kind?: FenceKind; // of a fence in force
  deniedGroups?: readonly string[]; // of a fence: consumer groups read back as refused; absent: none
}>;

export type CommandBody =
  | Readonly<{ kind: 'read_end_offsets'; cluster: ClusterName; topics: readonly string[] }>
  | Readonly<{
      kind: 'read_replication_position';
      from: ClusterName;
      to: ClusterName;
      connectors: ConnectorNames;
      topics: readonly string[];
    }>
  | Readonly<{ kind: 'read_group_offsets'; cluster: ClusterName; groups: readonly string[]; topics: readonly string[] }>
  | Readonly<{ kind: 'apply_group_offsets'; cluster: ClusterName; group: string; offsets: readonly PartitionOffset[] }>
  | Readonly<{ kind: 'canary'; cluster: ClusterName; topic: string; principal: 'agent' | 'ordinary' }>
  /** `positions`: the first offset to copy (S) per partition of the flow's source. Only while the flow is stopped. */
  | Readonly<{
      kind: 'seed_flow';
      from: ClusterName;
      to: ClusterName;
      connectors: ConnectorNames;
      positions: readonly PartitionOffset[];
    }>
  /** Data records in [from, to) as a reader of committed records sees them: markers and aborted records are none. */
  | Readonly<{ kind: 'count_records'; cluster: ClusterName; ranges: readonly OffsetRange[] }>
  | TransactionCommand
  | TranslateCommand
  | TailCommand
  | RebuildCommand;

export type Command = Readonly<{
  id: string;
  term: number;
  epoch: number;
  group: string;
  deadlineMs: Ms;
  body: CommandBody;
}>;

export type ConsumerGroupState = 'EMPTY' | 'STABLE' | 'REBALANCING' | 'DEAD' | 'UNKNOWN';

export type CommandOutput =
  | Readonly<{ kind: 'end_offsets'; starts: readonly PartitionOffset[]; ends: readonly PartitionOffset[] }>
  | Readonly<{ kind: 'replication_position'; positions: readonly PartitionOffset[]; via: 'connect' | 'topic' }> // offset = N
  | Readonly<{
      kind: 'group_offsets';
      offsets: readonly GroupOffset[];
      states: Readonly<Record<string, ConsumerGroupState>>;
    }>
  | Readonly<{ kind: 'applied'; outcome: 'applied' | 'active' | 'unknown_topic'; offsets: readonly PartitionOffset[] }> // read back
  | Readonly<{ kind: 'canary'; accepted: boolean; errorCode: number | null; detail: string }>
  | SeededOutput
  | Readonly<{ kind: 'record_counts'; counts: readonly RecordCount[] }>
  | TransactionOutput
  | TranslatedOutput
  | TailOutput
  | RebuildOutput;

/** Of one range. Counting ends at {@link COUNT_LIMIT}: whoever asks wants to know whether there are any. */
export type RecordCount = Readonly<
  TopicPartition & {
    records: number;
    /** First offset that an open transaction hides from readers of committed records; null: none below the range's end. */
    openFrom: number | null;
  }
>;

/** Records counted per partition at most. */
export const COUNT_LIMIT = 1_000;

/**
 * What Connect has stored now, read back. `different` (bounded): what was found instead, -1 for "no entry".
 * `not_stopped`, `absent`, `wrong_source` (its alias is another cluster's): nothing was sent to the worker.
 */
export type SeededOutput = Readonly<{
  kind: 'seeded';
  outcome: 'seeded' | 'not_stopped' | 'absent' | 'wrong_source' | 'different';
  equal: number; // partitions whose stored offset is what was asked
  different: readonly PartitionOffset[];
  detail: string;
}>;

export type CommandResult = Readonly<
  { id: string } & (
    | { ok: true; output: CommandOutput }
    | {
        ok: false;
        code: 'refused_term' | 'refused_epoch' | 'expired' | 'unavailable' | 'unsupported' | 'failed';
        detail: string;
      }
  )
>;

/** The names that a dedicated MirrorMaker process gives its connectors, in its own topics on the target. */
export const DEDICATED_CONNECTORS: ConnectorNames = {
  source: 'MirrorSourceConnector',
  checkpoint: 'MirrorCheckpointConnector',
  heartbeat: 'MirrorHeartbeatConnector',
};

/** One group as agents must watch it (sent in Welcome, cached on disk). */
export type WatchGroup = Readonly<{
  name: string;
  clusters: readonly ClusterName[];
  topics: readonly string[];
  consumerGroups: readonly string[];
  principals: readonly string[];
  flows: readonly Readonly<{
    from: ClusterName;
    to: ClusterName;
    naming: 'identity' | 'default';
    connectors: ConnectorNames;
    dedicated?: boolean; // absent: false
  }>[];
  active: ClusterName | null; // by the controller's last read of the pointer
  epoch: number;
}>;

/** The topic that an ordinary principal writes to as the proof of a fence. */
export const checkTopic = (group: string): string => `pointsman-check.${group}`;
export const CANARY_TOPIC = 'pointsman-canary';
export const EPOCH_TOPIC = 'pointsman-epoch';
