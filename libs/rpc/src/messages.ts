import type { AgentId, ClusterName, ClusterReport, IdcName, Ms, SelfHealth } from '#health';
import type {
  ClusterSettings,
  Command,
  CommandResult,
  FenceFacts,
  FlowFacts,
  FlowSettings,
  Goal,
  GoalStatus,
  LeaseGrant,
  WatchGroup,
} from '#failover';

/** The session's messages in the domain's words: what both ends work with. Ages are relative to the instant of sending. */

export type AgentMessage =
  | Readonly<{ kind: 'hello'; hello: AgentHello }>
  | Readonly<{ kind: 'report'; report: AgentReport }>
  | Readonly<{ kind: 'goal_status'; status: GoalStatus }>
  | Readonly<{ kind: 'command_result'; result: CommandResult }>
  | Readonly<{ kind: 'goodbye'; reason: string }>;

export type ControllerMessage =
  | Readonly<{ kind: 'welcome'; welcome: ControllerWelcome }>
  | Readonly<{ kind: 'goal_set'; goalSet: AgentGoalSet }>
  | Readonly<{ kind: 'command'; command: Command }>
  | Readonly<{ kind: 'unknown_command'; id: string }> // a body that this version does not know: answered `unsupported`
  | Readonly<{ kind: 'full_report_wanted' }>
  | Readonly<{ kind: 'lease_token'; term: number; number: number; grants: readonly LeaseGrant[] }>;

export type AgentHello = Readonly<{
  protocolVersion: number;
  agent: AgentId;
  idc: IdcName;
  bootId: string; // new at every start of the process
  highestTerm: number; // ever heard
  goalsHeld: readonly GoalAssignment[];
  clusters: readonly ClusterName[]; // for which it holds credentials
  softwareVersion: string;
}>;

export type ControllerWelcome = Readonly<{
  protocolVersion: number;
  controller: string;
  leader: boolean;
  term: number;
  watch: Watch;
  leaseTtlMs: Ms;
}>;

/** What to watch, and where each cluster stands; cached by the agent on disk. */
export type Watch = Readonly<{
  groups: readonly WatchGroup[];
  clusters: readonly Readonly<{ name: ClusterName; idc: IdcName }>[];
}>;

/**
 * `own`: the agent of the subject's own IDC, carries it out and keeps it on disk. `stand_in`: named while the own agent
 * is silent, in memory only. `bystander`: only reads the subject and reports what it sees.
 */
export type GoalRole = 'own' | 'stand_in' | 'bystander';
export type GoalAssignment = Readonly<{ goal: Goal; role: GoalRole }>;
export type AgentGoalSet = Readonly<{ term: number; goals: readonly GoalAssignment[] }>;

export type AgentReport = Readonly<{
  full: boolean; // everything the agent knows, partitions included
  self: SelfHealth;
  clusters: readonly ClusterReport[];
  flows: readonly FlowUpdate[];
  fences: readonly FenceUpdate[];
  clusterSettings: readonly Readonly<ClusterSettings & { cluster: ClusterName }>[];
  flowSettings: readonly Readonly<FlowSettings & { group: string }>[];
  consumerGroups: readonly ConsumerGroupUpdate[];
  selfFences: readonly SelfFenceUpdate[]; // whole in every report
}>;

export type FlowUpdate = Readonly<
  Omit<FlowFacts, 'perPartition' | 'sourceGrewAgeMs'> & {
    group: string;
    whole: boolean; // `partitions` replaces all sent before; otherwise only those that changed
    partitions: readonly PartitionUpdate[];
    roundAgeMs: Ms; // since the start of the round; also the age of every `current` partition value
  }
>;

/** A `current` value was read in the newest round, and in every later one until a change says otherwise; its age is null. */
export type PartitionUpdate = Readonly<{
  topic: string;
  partition: number;
  sourceEnd: number | null;
  replicated: number | null;
  sourceEndCurrent: boolean;
  replicatedCurrent: boolean;
  sourceEndAgeMs: Ms | null;
  replicatedAgeMs: Ms | null;
}>;

/** What one consumer group has committed in a watched group's topics on one cluster. */
export type ConsumerGroupUpdate = Readonly<{
  group: string;
  cluster: ClusterName;
  consumerGroup: string;
  lagRecords: number | null; // null: nothing committed, or an end offset is not known
  observedAgeMs: Ms; // since the committed offsets were read
  committedAgeMs: Ms | null; // since one was seen to move; null: never by this agent
  members?: number; // that its coordinator knows; absent: not known
}>;

/** The agent closes this cluster of its own IDC by itself when its lease token is overdue. */
export type SelfFenceUpdate = Readonly<{
  group: string;
  cluster: ClusterName;
  epoch: number;
  armed: boolean; // the leader may count on it
  applyMs: Ms; // what the fence takes at most, as measured
  selfFenced: boolean; // the token is overdue and the cluster was read back as closed
}>;

export type FenceUpdate = Readonly<FenceFacts & { group: string }>;
