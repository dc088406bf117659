import type { BlockerName } from './blocker-names.js';
import type { ProposalFacts } from '../proposal/proposal.js';
import type { ScheduledFacts } from '../schedule/schedule.js';
import type { FenceKind } from '../saga/effects.js';
import type { TransactionEnd } from '../saga/transaction-effects.js';
import type { SagaKind } from '../saga/types.js';
import type { ConnectorFailure } from './connector-failure.js';
import type { AgentId, ClusterName, IdcName, Ms, Observer, Verdict, Vote } from '#health';

/** The decision's whole input. Built once per tick by the controller with one `now`; frozen. */
export type Snapshot = Readonly<{
  now: Ms; // this process's monotonic clock
  wallNow: Ms; // unix time of the same instant: for people and expiries only, never for windows
  leading: boolean;
  term: number;
  graceOver: boolean; // every expected observer was heard by this process, or 3p + t passed since it first listened
  group: GroupFacts;
  observers: readonly Observer[];
  votes: Readonly<Record<ClusterName, Readonly<Record<AgentId, Vote>>>>;
  flows: readonly SnapshotFlow[]; // youngest sample, the target's agent first
  fences: readonly FenceFacts[];
  clusterSettings: Readonly<Record<ClusterName, ClusterSettings>>;
  flowSettings: readonly FlowSettings[];
  configCenter: Readonly<{ writableAgeMs: Ms | null; error: string | null }>; // age of the last good write canary
  policyDigests: Readonly<Record<string, string>>; // controllers alive by the store → digest
  placement: Readonly<{ storeSurvives: readonly IdcName[]; configCenterSurvives: readonly IdcName[] }>;
  probe: Readonly<{ periodMs: Ms; timeoutMs: Ms }>;
  selfFence?: Readonly<Record<ClusterName, SelfFenceFacts>>; // absent: no deadline can be concluded from
  memory: Memory;
}>;

export type Mode = 'observe' | 'approve' | 'auto';

export type GroupFacts = Readonly<{
  name: string;
  clusters: readonly Readonly<{ name: ClusterName; idc: IdcName }>[]; // rank order
  active: ClusterName;
  epoch: number;
  mode: Mode;
  modeChangedAgeMs: Ms | null;
  pause: Readonly<{ owner: string; reason: string; expiresInMs: Ms; everywhere?: boolean }> | null; // the one that ends last
  unpausedAgeMs: Ms | null;
  frozen: string | null; // why (I3), null if not
  openSaga: Readonly<{ id: string; openForMs: Ms; kind?: SagaKind }> | null; // no kind: in a snapshot of an older version
  noSagaOpenAgeMs?: Ms | null; // since when none is, as the deciding process saw it; null: one is
  lastPublishedAuto: Readonly<{ ageMs: Ms; acknowledged: boolean }> | null;
  lastPublishedSagaAgeMs: Ms | null;
  lastUnpublishedClose: Readonly<{ ageMs: Ms; attempts: number; outcome: string }> | null;
  flapsAcknowledgedAgeMs: Ms | null;
  lossAcceptance: Readonly<{ by: string; maxRecords: number | null; maxMs: Ms | null; expiresInMs: Ms }> | null;
  rejoin: readonly ClusterName[]; // members whose rejoin is not finished
  armed: Readonly<Record<ClusterName, boolean>>; // by the newest report of the cluster's own agent
  proposal?: ProposalFacts | null; // the newest, open or closed
  scheduled?: ScheduledFacts | null; // a switchover at a time
}>;

/** What a person may order and policy may want a second person for. */
export type OrderedAct = 'failover' | 'switchover' | 'failback';

export type PartitionLag = Readonly<{
  topic: string;
  partition: number;
  sourceEnd: number | null; // E
  replicated: number | null; // N + 1
  sourceEndAgeMs: Ms | null;
  replicatedAgeMs: Ms | null;
}>;

export type FlowFacts = Readonly<{
  from: ClusterName;
  to: ClusterName;
  lagRecords: number | null; // null: unknown
  lagMs: Ms | null;
  heartbeatAgeMs: Ms | null;
  observedAgeMs: Ms | null; // of lagRecords
  sourceConnector: ConnectorState;
  checkpointConnector: ConnectorState;
  perPartition: readonly PartitionLag[];
  sourceGrewAgeMs?: Ms; // since the source's end offsets were seen to grow, by whoever adds up the reports; absent: never
  checkpointAgeMs?: Ms; // since a new checkpoint arrived on the target; absent: none was seen to arrive
  gaps?: readonly SilentGap[];
  failures?: readonly ConnectorFailure[]; // of its source and checkpoint connector and their tasks; absent: none
}>;

/**
 * What MirrorMaker went over without a word, because it begins again at the earliest record whenever its position is gone.
 * `purged`: removed from the source before they were copied. `recreated`: the source's topic was deleted and made anew.
 * `recopied`: the copy began at the source's first record again.
 */
export type SilentGap = Readonly<{
  topic: string; // of the source
  partition: number;
  kind: 'purged' | 'recreated' | 'recopied';
  records: number | null; // that the copy lacks (purged, recreated), or holds twice (recopied); null: not known
  downstream: number | null; // offset on the target at which the copy goes on behind it; null: not copied on yet
  ageMs: Ms; // since it was found
}>;

/**
 * From the configuration. `naming` absent: not known, which proves no loop. `dedicated`: a MirrorMaker process without REST
 * carries it, which can be watched and not steered.
 */
export type SnapshotFlow = FlowFacts & Readonly<{ naming?: 'identity' | 'default'; dedicated?: boolean }>;

export type ConnectorState = 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FAILED' | 'UNASSIGNED' | 'ABSENT' | 'UNKNOWN';

export type FenceFacts = Readonly<{
  cluster: ClusterName;
  state: 'fenced' | 'open' | 'partial' | 'foreign' | 'unknown';
  kind: FenceKind | null;
  epoch: number | null;
  ageMs: Ms | null;
}>;

export type ClusterSettings = Readonly<{
  brokerSessionTimeoutMs: Ms | null;
  electionTimeoutMs: Ms | null;
  fencing?: FencingFacts; // absent: not looked at yet, or by an agent that cannot
  initialRebalanceDelayMs?: Ms | null; // group.initial.rebalance.delay.ms
  topics?: readonly TopicSettings[]; // hot-standby topics, bounded; told by the cluster's own agent only
  logDirSpace?: LogDirSpace; // absent: no broker shows it
}>;

/** The fullest log directory of all brokers that show theirs. */
export type LogDirSpace = Readonly<{ broker: number; freeBytes: number; totalBytes: number }>;

export type TopicSettings = Readonly<{
  topic: string;
  partitions: number;
  replicationFactor: number | null;
  minIsr: number | null;
  maxMessageBytes: number | null;
  retentionMs: Ms | null; // -1: without a limit
  retentionBytes: number | null; // of each partition, which keeps at least so much; -1: without a limit
}>;

/** What a cluster offers to close it, found out by its agent beforehand. */
export type FencingFacts = Readonly<{
  authorizer: boolean | null; // null: could not be found out
  denyByDefault: boolean | null; // `allow.everyone.if.no.acl.found=false`, by what an ordinary principal may do
  agentIsSuperUser: boolean | null;
  writers: readonly string[]; // principals with WRITE on a hot-standby topic by an ACL
  offers: readonly FenceOffer[]; // strongest first
  cannotWrite?: readonly WriteLack[]; // principals of a group that no ACL lets write one of its topics; bounded
}>;

export type WriteLack = Readonly<{ group: string; principal: string; topic: string }>;

/** What the leader knows of one cluster's self-fence besides the agent's word; null: not known, or not leading. */
export type SelfFenceFacts = Readonly<{
  tokenAgeMs: Ms | null; // since the last token to anyone in the cluster's IDC, at most since this leader's take-over
  applyMs: Ms | null; // what its agent measured that the fence takes
}>;

export type FenceOffer = Readonly<{ kind: FenceKind; usable: boolean; reason: string }>;

export type FlowSettings = Readonly<{
  from: ClusterName;
  to: ClusterName;
  syncsTopicAcls: boolean | null;
  excludesMaxMessageBytes: boolean | null;
  foreignTopics: readonly string[]; // reached by the connector, not of the group
  connectorConfig?: Readonly<Record<string, string>>; // of both connectors, the keys that readiness judges
}>;

/** A failover group's policy, compiled from the configuration: every default filled in, frozen. */
export type Policy = Readonly<{
  preset: 'guarded' | 'classic';
  acceptRisk: 'split-brain-and-loss' | null;
  maxRpo: Readonly<{ records: number; durationMs: Ms }>;
  graceWithDataLoss: boolean;
  fencing: 'best-effort' | 'strict';
  selfFenceAfterMs: Ms; // strict: without a token for so long an armed agent closes its own cluster
  standbyFence: 'acl' | 'none'; // acl: the standby is closed to applications at all times, where the cluster offers it
  producersInSourceIdc: boolean;
  clients: 'anywhere' | 'outside';
  windows: Readonly<{ attestedMs: Ms; serviceMs: Ms; isolatedMs: Ms; grayMs: Ms; partitionMs: Ms; blindSuspectMs: Ms }>;
  cooldownMs: Ms;
  lagMaxAgeMs: Ms;
  sagaMaxOpenMs: Ms;
  observerLostMs: Ms;
  partitionShare: number; // row 510, 0..1
  adoption: Readonly<{ share: number; waitMs: Ms }>; // of wrapped clients, after a publication; never undoes one
  /** On the target of a planned switch: how long members of the group's consumer groups are waited for, before clients are told anything. */
  groupsOnTarget: Readonly<{ waitMs: Ms }>;
  /** On the source of a planned switch: how long one that is open is waited for, and what then. */
  openTransactions: Readonly<{ waitMs: Ms; onTimeout: TransactionEnd }>;
  approvals: 1 | 2; // different persons that a proposal needs
  secondPersonFor: readonly OrderedAct[]; // orders of a person that another one must accept
  proposal: Readonly<{ expiresMs: Ms; againMs: Ms }>; // how long it stands; how long after a no it is not made again
}>;

/** One reading of the flow's lag, kept so that lag can be judged as of the window's start. */
export type LagReading = Readonly<{
  atMs: Ms; // when it was taken
  records: number | null;
  ms: Ms | null;
  heartbeatAgeMs: Ms | null;
  endSum: number | null; // sum of the source's end offsets: its growth is the produce rate
}>;

/**
 * What must be remembered between ticks; opaque to everyone but decide(). Plain JSON; instants are on this process's
 * monotonic clock, so it must not be carried to another process.
 */
export type Memory = Readonly<{
  active: ClusterName | null; // whom the rest is about; another active cluster starts it anew
  term: number | null;
  leading: boolean;
  lastAnsweredAtMs: Ms | null; // newest UP/DEGRADED sample of any expected observer
  lastAnsweredOutsideAtMs: Ms | null; // the same without S's own agent (row 420)
  conditionSinceMs: Readonly<Record<string, Ms>>; // row id (or `flow-loop`) → since when continuously matched
  freshSinceMs: Ms | null; // first fresh snapshot since start, leader change or blindness
  downSinceMs: Ms | null; // S has been DOWN_* since, until it answers
  recoveriesAtMs: readonly Ms[]; // returns of S from DOWN_*, for FLAPPING
  missingSinceMs: Readonly<Record<AgentId, Ms>>; // since when an observer's vote on S is STALE or ABSTAIN
  lagReadings: readonly LagReading[]; // oldest first, bounded
  lagAtStart: Readonly<{ t0Ms: Ms; reading: LagReading }> | null;
  peakRatePerMs: number | null; // highest produce rate seen in lagReadings
}>;

export const INITIAL_MEMORY: Memory = Object.freeze({
  active: null,
  term: null,
  leading: false,
  lastAnsweredAtMs: null,
  lastAnsweredOutsideAtMs: null,
  conditionSinceMs: {},
  freshSinceMs: null,
  downSinceMs: null,
  recoveriesAtMs: [],
  missingSinceMs: {},
  lagReadings: [],
  lagAtStart: null,
  peakRatePerMs: null,
});

export type GateName = 'NOT_LEADER' | 'SAGA_OPEN' | 'PAUSED' | 'FROZEN' | 'OBSERVE';

export type { BlockerName } from './blocker-names.js';

export type Blocker = Readonly<{ name: BlockerName; detail: string; liftedBy: string }>;

export type ActionName = 'none' | 'hold' | 'alert' | 'failover' | 'propose' | 'unfence' | 'start-rejoin';

export const ALERT_TYPES = [
  'suspected',
  'held',
  'acting',
  'completed',
  'compensated',
  'needs_operator',
  'blind',
  'link_cut',
  'observer_lost',
  'dr_not_ready',
  'frozen',
  'active_fenced',
  'local_fault',
  'degraded',
  'misconfigured',
  'old_primary_back',
] as const;
export type AlertType = (typeof ALERT_TYPES)[number];

export type WindowState = Readonly<{
  startedAtMs: Ms;
  lengthMs: Ms;
  fillMs: Ms; // min(now − start, length)
  dueInMs: Ms; // 0 when full
  complete: boolean; // full and the two-fresh-snapshots rule holds
}>;

export type Decision = Readonly<{
  gate: readonly GateName[]; // all that hold; empty: none
  row: number;
  name: string;
  state: string; // the sentence an operator reads
  action: ActionName; // after gates, window and blockers
  wouldDo: ActionName; // what the row wants once window and blockers allow, gates apart
  alerts: readonly AlertType[]; // due now (held long enough), of `row` and `also`
  also: readonly number[]; // every other row that matches
  reasons: readonly string[];
  blockers: readonly Blocker[];
  flowLoop?: readonly Readonly<{ from: ClusterName; to: ClusterName }>[]; // both run (I37): stopped when no gate is closed
  window: WindowState | null;
  target: ClusterName | null;
  targetFit: Readonly<{ fit: boolean; reasons: readonly string[] }>;
  verdicts: Readonly<Record<ClusterName, Verdict>>;
  loss: Readonly<{ knownRecords: number | null; estimatedRecords: number | null; atLeast: boolean }>;
  nextMemory: Memory;
}>;
