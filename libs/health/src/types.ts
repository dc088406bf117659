/**
 * The vocabulary of observation: sample → report → vote → verdict. Pure data, no I/O, no clock.
 * Every instant is in milliseconds on the monotonic clock of the process that holds the value; only ages travel
 * between machines, never instants.
 */
export type Ms = number;
export type AgentId = string;
export type ClusterName = string;
export type IdcName = string;

/** Why a probe of one broker (or one canary) failed. Only the closed list {@link DOWN_ERROR_KINDS} may count as down. */
export type ProbeErrorKind =
  | 'refused'
  | 'reset'
  | 'no_route'
  | 'deadline'
  | 'dns'
  | 'tls'
  | 'authentication'
  | 'authorization'
  | 'quota'
  | 'broker' // the broker answered with an error code, see `errorCode`
  | 'other';

/** One broker (or bootstrap address) asked with connect (TCP, TLS, SASL) and ApiVersions. */
export type BrokerProbe = Readonly<{
  address: string;
  brokerId: number | null;
  error: ProbeErrorKind | null; // null: it answered ApiVersions
  latencyMs: Ms | null;
}>;

/** Produce acks=all and fetch back of one partition led by the sampled broker. */
export type CanaryProbe = Readonly<{
  brokerId: number;
  ok: boolean;
  latencyMs: Ms | null;
  error: ProbeErrorKind | null;
  errorCode: number | null; // Kafka protocol error code when `error` is 'broker'
}>;

export type PartitionCounts = Readonly<{
  total: number;
  offline: number;
  underReplicated: number;
  underMinIsr: number;
}>;

/** What the agent thinks of itself at the time of a sample. */
export type SelfHealth = Readonly<{ healthy: boolean; reasons: readonly string[] }>;

/** What one probe round found out about one cluster: raw facts, no judgement. */
export type ClusterSample = Readonly<{
  takenAtMs: Ms; // start of the round, agent's monotonic clock
  expectedBrokers: number;
  brokers: readonly BrokerProbe[];
  activeBrokers: number | null; // by Metadata; null when no metadata was had
  clusterId: string | null;
  quorumLeader: number | null; // null: none within the deadline
  quorumError: ProbeErrorKind | null; // why the question was not answered; null: it was, or nobody could be asked
  hotStandby: PartitionCounts | null;
  otherTopics: PartitionCounts | null;
  canaries: readonly CanaryProbe[]; // empty: not probed this round (topic not there yet)
  endOffsetsAdvanced: boolean | null; // since the previous sample; null: unknown
  self: SelfHealth;
}>;

export type VoteState = 'UP' | 'DEGRADED' | 'DOWN' | 'ABSTAIN' | 'STALE';
export type DownKind = 'UNREACHABLE' | 'NO_SERVICE';

/** The fields behind a vote; shown by explain and used (as medians over F) by some rows. */
export type ClusterFields = Readonly<{
  expectedBrokers: number;
  answeringBrokers: number;
  activeBrokers: number | null;
  clusterId: string | null;
  quorumLeader: number | null;
  hotStandby: PartitionCounts | null;
  otherTopics: PartitionCounts | null;
  canarySampledBrokers: number;
  canaryOkBrokers: number;
  canaryLatencyMs: Ms | null;
  canarySuccessRatio: number | null; // over the last 30 s
  endOffsetsAdvancing: boolean | null;
  errorKinds: readonly ProbeErrorKind[]; // distinct, sorted
}>;

/** Marks beside the state: each has its own row or alert. */
export type VoteMark = 'NO_QUORUM' | 'RECOVERING' | 'GRAY' | 'MISCONFIGURED';

/**
 * What an agent says of one cluster in a report. Ages are relative to the instant at which the report was sent.
 */
export type ClusterReport = Readonly<{
  cluster: ClusterName;
  state: Exclude<VoteState, 'STALE'>;
  kind: DownKind | null; // with DOWN only
  everyBrokerRefused: boolean; // attested: with DOWN/UNREACHABLE only
  marks: readonly VoteMark[];
  reasons: readonly string[];
  sampleAgeMs: Ms;
  failingForMs: Ms; // since the first failed sample without a success, agent's monotonic clock; 0 if not failing
  refusedForMs: Ms; // since when every broker has refused; 0 if not
  lastAnsweredAgeMs: Ms | null; // since the last sample in which the cluster answered; null: never
  fields: ClusterFields;
}>;

/** A vote as the snapshot holds it: a report aged to `now`, or STALE (said by the controller). */
export type Vote = Readonly<
  Omit<ClusterReport, 'cluster' | 'state' | 'sampleAgeMs' | 'fields'> & {
    agent: AgentId;
    state: VoteState;
    ageMs: Ms | null; // since the sample was taken, at `now`; null: never heard by this process
    fields: ClusterFields | null;
  }
>;

/** An observer configured for the group: one per IDC. */
export type Observer = Readonly<{
  agent: AgentId;
  idc: IdcName;
  ageMs: Ms | null; // since its newest report, at `now`; null: never heard
  selfHealthy: boolean;
  goodbyeAgeMs: Ms | null; // since its goodbye; null: none since its last hello
}>;

export type VerdictName =
  | 'UNKNOWN'
  | 'DOWN_ATTESTED'
  | 'DOWN_ISOLATED'
  | 'LOCAL_FAULT'
  | 'ALIVE_INSIDE'
  | 'LINK_CUT'
  | 'UP'
  | 'DEGRADED'
  | 'SPLIT';

export type Verdict = Readonly<{
  name: VerdictName;
  fresh: readonly AgentId[]; // F
  own: AgentId | null;
  witnesses: readonly AgentId[];
  cutPairs: readonly (readonly [IdcName, IdcName])[]; // with LINK_CUT
}>;
