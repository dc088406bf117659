import type { ClusterName, ClusterSample, IdcName, Ms, SelfHealth } from '#health';
import type {
  ClusterGoal,
  ClusterSettings,
  Command,
  CommandResult,
  FenceFacts,
  FlowFacts,
  FlowSettings,
  Goal,
  GoalStatus,
  TranslateCommand,
  TranslatedOutput,
  WatchGroup,
} from '#failover';
import type { ConsumerGroupUpdate } from '#rpc';

/**
 * What the session, the goal keeper and the observe loop need of the rest of the agent. `probes/` implements
 * {@link ClusterProbe} and {@link SelfMonitor}, `hands/` implements {@link Hands}; tests use fakes.
 */

/** This process's monotonic clock in milliseconds. Every instant inside the agent is on it. */
export type MonotonicClock = () => Ms;

/** Everything one probe round found out about one cluster, and about the flows whose *target* it is. */
export type ProbeRound = Readonly<{
  sample: ClusterSample;
  /** The instant (same clock as `sample.takenAtMs`) to which every age below is relative; the end of the round. */
  agesAtMs: Ms;
  flows: readonly FlowObservation[];
  fences: readonly FenceObservation[]; // may be empty: read on a slow tick, or not at all without a fence artefact
  clusterSettings: ClusterSettings | null; // null: not read yet
  flowSettings: readonly FlowSettingsObservation[];
  consumerGroups: readonly ConsumerGroupObservation[];
}>;

/** A partition whose value was not read again in this round keeps its last value with its growing age. */
export type FlowObservation = Readonly<{ group: string; facts: FlowFacts }>;
export type FenceObservation = Readonly<{ group: string; facts: FenceFacts }>;
/** Ages are relative to `agesAtMs` of the round; the cluster is the round's. */
export type ConsumerGroupObservation = Omit<ConsumerGroupUpdate, 'cluster'>;
export type FlowSettingsObservation = Readonly<{ group: string; facts: FlowSettings }>;

/** One cluster's probes over own sockets. */
export interface ClusterProbe {
  /**
   * One round, bounded by the probe's time-out: what did not answer in time is a probe error in the sample, not an
   * exception. Never called again before the previous call has settled. Throws only for a defect.
   */
  sample(): Promise<ProbeRound>;
  /**
   * Topics, groups and flows to watch from the next round on. `idc`: where this cluster stands (null until a controller
   * or the configuration said it): the agent of that IDC is the cluster's own, and the IDC's reference targets do not count.
   */
  setWatch(groups: readonly WatchGroup[], idc: IdcName | null): void;
  close(): Promise<void>;
}

/** The agent's doubt in itself: event-loop delay, clock step, reference targets in other IDCs. */
export interface SelfMonitor {
  /**
   * Reference targets speak only against a cluster that is silent: one that answers has itself proved this agent's
   * network. Those in the judged cluster's own IDC (null: not known yet) do not count.
   */
  health(judged: Readonly<{ idc: IdcName | null; answers: boolean }>): SelfHealth;
  close(): Promise<void>;
}

/** What the agent does to clusters and Connect workers. Idempotent, verified by reading back, never by a status code. */
export interface Hands {
  /** The groups and whom their pointers name: a fence that closes a whole cluster must not close it to another group. */
  setWatch(groups: readonly WatchGroup[]): void;
  /**
   * Brings the goal's subject to the goal's state if it is not there, and says what was read back. Failing to reach
   * the subject is `reached: false` with `observed: 'unknown'` (`'refused'` for a Connect worker that refuses every
   * connection), not an exception. Called at most once at a time per goal.
   */
  apply(goal: Goal, signal: AbortSignal): Promise<GoalStatus>;
  /**
   * The same for a cluster of which no broker answers: only what needs none (the hook) is tried, for a request to a broker
   * that hangs may be carried out later. Null: nothing can be tried, and nothing new is known.
   */
  applySilent(goal: ClusterGoal, signal: AbortSignal): Promise<GoalStatus | null>;
  /** Reads the subject without changing anything. */
  observe(goal: Goal, signal: AbortSignal): Promise<GoalStatus>;
  /** One effect, one result. `signal` aborts at the command's deadline; the caller turns an exception into `failed`. */
  run(command: Command, signal: AbortSignal): Promise<CommandResult>;
  /** The newest `{epoch, term}` recorded for the group in the cluster's `pointsman-epoch` topic; null: none there. Throws if unreadable. */
  newestEpoch(cluster: ClusterName, group: string, signal: AbortSignal): Promise<RecordedEpoch | null>;
  close(): Promise<void>;
}

/** `active`: the cluster that the pointer named at that epoch, when the record says it. */
export type RecordedEpoch = Readonly<{ epoch: number; term: number; active: ClusterName | null }>;

/** Answers from the history of offset-syncs that `offsets/` keeps. `left`: what remains of the command's deadline. */
export interface OffsetTranslator {
  translate(body: TranslateCommand, left: () => Ms): Promise<TranslatedOutput>;
  /** These topics of the cluster were deleted and made anew: what is kept of their former life is forgotten, on disk too. */
  topicsRemade(cluster: ClusterName, topics: readonly string[], leftMs: Ms): Promise<void>;
}

/** Follows the offset-syncs of the watched flows. */
export interface OffsetFollower {
  setWatch(groups: readonly WatchGroup[]): void;
  close(): Promise<void>;
}
