import type { Ms, ProbeErrorKind } from '#health';

/** One broker's address as `host:port`. */
export type Address = string;

/** What one question to one broker brought. Failure is a value: for the eyes it is a finding, not an exception. */
export type Answer<T> = Readonly<
  | { ok: true; value: T; latencyMs: Ms }
  | { ok: false; kind: ProbeErrorKind; errorCode: number | null; detail: string; latencyMs: Ms }
>;

export type BrokerNode = Readonly<{ id: number; address: Address }>;
export type PartitionLayout = Readonly<{
  partition: number;
  leader: number; // -1: none
  replicas: readonly number[];
  isr: readonly number[];
}>;
export type TopicLayout = Readonly<{
  name: string;
  id?: string; // another one under the same name: the topic was deleted and made anew
  internal: boolean;
  errorCode: number; // 0, or why nothing is known of it: 3 unknown, 29 not allowed to see it
  partitions: readonly PartitionLayout[];
}>;
export type ClusterLayout = Readonly<{
  clusterId: string | null;
  brokers: readonly BrokerNode[]; // registered and not fenced, as the asked broker believes
  topics: ReadonlyMap<string, TopicLayout>;
}>;

/** Topic → partition numbers. */
export type PartitionSet = ReadonlyMap<string, readonly number[]>;
export type OffsetEntry = Readonly<{ topic: string; partition: number; offset: number }>;
export type OffsetFailure = Readonly<{ topic: string; partition: number; errorCode: number }>;
export type OffsetList = Readonly<{ offsets: readonly OffsetEntry[]; failed: readonly OffsetFailure[] }>;
export type CommittedOffset = OffsetEntry & Readonly<{ group: string }>;

/** `failed`: groups that answered with an error (moved, not allowed): nothing is known of their commits. */
export type CommittedList = Readonly<{
  offsets: readonly CommittedOffset[];
  failed: readonly Readonly<{ group: string; errorCode: number }>[];
}>;

export type ConfigValue = Readonly<{ value: string | null; set: boolean }>; // set: on the topic itself, not a default
/** Resource name → key → value. */
export type ConfigTable = ReadonlyMap<string, ReadonlyMap<string, ConfigValue>>;

export type LogDir = Readonly<{ freeBytes: number; totalBytes: number }>;

export type FetchedRecord = Readonly<{
  topic: string;
  partition: number;
  offset: number;
  timestampMs: number;
  key: Buffer | null;
  value: Buffer | null;
}>;
export type FetchedSlice = Readonly<{ records: readonly FetchedRecord[]; nextOffset: number; highWatermark: number }>;

/** Requests wait behind each other only inside one lane. */
export type Lane = 'facts' | 'canary' | 'quorum' | 'slow';

/**
 * Single questions to single brokers, each with a hard deadline that covers connecting. Nothing is retried, routed or
 * remembered here: which broker to ask, and what silence means, is the probe's matter.
 */
export interface ClusterEyes {
  apiVersions(address: Address, deadlineMs: Ms): Promise<Answer<null>>;
  /** `topics` null: all topics. Answers although single topics or partitions carry errors. */
  metadata(address: Address, topics: readonly string[] | null, deadlineMs: Ms): Promise<Answer<ClusterLayout>>;
  /** The quorum's leader, null if the answer names none. Asked in a lane of its own: without a quorum it hangs. */
  quorumLeader(address: Address, deadlineMs: Ms): Promise<Answer<number | null>>;
  offsets(address: Address, partitions: PartitionSet, at: 'end' | 'start', deadlineMs: Ms): Promise<Answer<OffsetList>>;
  coordinators(
    address: Address,
    groups: readonly string[],
    deadlineMs: Ms,
  ): Promise<Answer<ReadonlyMap<string, number>>>;
  /** All committed offsets of the groups, one request for all of them; to their coordinator. */
  committedOffsets(address: Address, groups: readonly string[], deadlineMs: Ms): Promise<Answer<CommittedList>>;
  topicConfigs(
    address: Address,
    topics: readonly string[],
    keys: readonly string[],
    deadlineMs: Ms,
  ): Promise<Answer<ConfigTable>>;
  /** Must be asked of that very broker. */
  brokerConfigs(
    address: Address,
    brokerId: number,
    keys: readonly string[],
    deadlineMs: Ms,
  ): Promise<Answer<ConfigTable>>;
  /** Of this broker's log directories, those whose size it shows (Kafka 3.3 and later). */
  logDirs(address: Address, deadlineMs: Ms): Promise<Answer<readonly LogDir[]>>;
  /** Members of each group, by its coordinator; groups that answer with an error are left out. */
  groupMembers(
    address: Address,
    groups: readonly string[],
    deadlineMs: Ms,
  ): Promise<Answer<ReadonlyMap<string, number>>>;
  /** acks=all; answers the record's offset. */
  produce(
    address: Address,
    record: Readonly<{ topic: string; partition: number; key: Buffer | null; value: Buffer | null }>,
    deadlineMs: Ms,
  ): Promise<Answer<number>>;
  fetch(
    address: Address,
    from: Readonly<{ topic: string; partition: number; offset: number; maxBytes: number; maxWaitMs: Ms }>,
    deadlineMs: Ms,
  ): Promise<Answer<FetchedSlice>>;
  /** Drops connections to addresses that left the cluster. */
  retain(addresses: ReadonlySet<Address>): void;
  /** Requests sent since the start, by name: the budget of a sample is a gate. */
  readonly requestCounts: ReadonlyMap<string, number>;
  close(): void;
}

/** Per partition its replicas, preferred leader first; or how many, placed by the cluster itself, which knows its racks. */
export type TopicPlacement =
  readonly (readonly number[])[] | Readonly<{ partitions: number; replicationFactor: number }>;
export type TopicSpec = Readonly<{
  name: string;
  assignment: TopicPlacement;
  configs: Readonly<Record<string, string>>;
}>;
export type ConfigChange = Readonly<{ topic: string; key: string; value: string | null }>; // null: unset
export type GroupState = 'EMPTY' | 'STABLE' | 'REBALANCING' | 'DEAD' | 'UNKNOWN';
export type ApplyOutcome = 'applied' | 'active' | 'unknown_topic';
export type WriteOutcome = Readonly<{
  accepted: boolean;
  errorCode: number | null;
  kind: ProbeErrorKind | null;
  detail: string;
}>;

export type AclEntry = Readonly<{
  resource: 'topic' | 'group';
  name: string; // `*` with `literal`: every name
  pattern: 'literal' | 'prefixed';
  principal: string; // `User:*`: everybody
  host: string; // `*`: every address
  operation: 'read' | 'write' | 'all' | 'other';
  permission: 'allow' | 'deny';
}>;
/** An entry to create or to remove, exactly this one. */
export type AclChange = AclEntry & Readonly<{ operation: 'read' | 'write' | 'all' }>;
/** `reaching`: only entries that apply to that name, whatever their pattern. */
export type AclQuery = Readonly<{
  resource: AclEntry['resource'];
  reaching?: string;
  operation?: 'read' | 'write' | 'all';
  permission?: AclEntry['permission'];
}>;

/** A cluster's authorizer. Null as an answer: it has none. @throws {KafkaCallError} */
export interface ClusterAcls {
  list(query: AclQuery, deadlineMs: Ms): Promise<readonly AclEntry[] | null>;
  /** The same, asked of every broker that answers: each judges by what it has itself taken in. */
  listEverywhere(query: AclQuery, deadlineMs: Ms): Promise<readonly (readonly AclEntry[])[] | null>;
  /** What exists already is no error. To be read back. */
  create(entries: readonly AclChange[], deadlineMs: Ms): Promise<void>;
  /** What does not exist is no error. */
  remove(entries: readonly AclChange[], deadlineMs: Ms): Promise<void>;
  /** Whether this connection's principal may describe a resource, existing or not. Changes nothing. */
  mayDescribe(resource: AclEntry['resource'], name: string, deadlineMs: Ms): Promise<boolean>;
}

/** One that has begun and not ended. `startedAtMs`: unix ms by its coordinator's clock; with the id it names the transaction. */
export type OpenTransactionEntry = Readonly<{
  transactionalId: string;
  state: 'ongoing' | 'ending'; // ending: its markers are being written
  startedAtMs: number;
  partitions: readonly Readonly<{ topic: string; partition: number }>[];
}>;

/** Transactions as their coordinators know them. @throws {KafkaCallError} */
export interface ClusterTransactions {
  /** All that are open and that this principal may describe; what it may not see is not there. */
  open(deadlineMs: Ms): Promise<readonly OpenTransactionEntry[]>;
  /**
   * Takes the id over, which aborts what it has open and ends its producer for good; returns when the markers are written.
   */
  abort(transactionalId: string, deadlineMs: Ms): Promise<void>;
}

/**
 * What agents do to a cluster. Routes to leaders and coordinators itself; every call has a deadline over all of it.
 * @throws {KafkaCallError} when the cluster did not do it. A change that was answered is still to be read back.
 */
export interface ClusterHands {
  readonly acls: ClusterAcls;
  readonly transactions: ClusterTransactions;
  layout(deadlineMs: Ms): Promise<ClusterLayout>;
  /** `keys` null: all of them. */
  topicConfigs(topics: readonly string[], keys: readonly string[] | null, deadlineMs: Ms): Promise<ConfigTable>;
  /** The same, asked of every broker that answers: a change is in force only where the leader has seen it. */
  topicConfigsEverywhere(
    topics: readonly string[],
    keys: readonly string[],
    deadlineMs: Ms,
  ): Promise<readonly ConfigTable[]>;
  changeTopicConfigs(changes: readonly ConfigChange[], deadlineMs: Ms): Promise<void>;
  /** @returns false when it existed already. */
  createTopic(spec: TopicSpec, deadlineMs: Ms): Promise<boolean>;
  /** By id: a topic that was made anew under the same name is another one. What does not exist is no error. Not yet gone when it returns. */
  deleteTopics(ids: readonly string[], deadlineMs: Ms): Promise<void>;
  addPartitions(
    topic: string,
    assignment: readonly (readonly number[])[],
    total: number,
    deadlineMs: Ms,
  ): Promise<void>;
  /** All partitions of these topics; throws if any is unknown, for a partial answer would be taken for all. */
  offsets(topics: readonly string[], at: 'end' | 'start', deadlineMs: Ms): Promise<readonly OffsetEntry[]>;
  groupOffsets(groups: readonly string[], deadlineMs: Ms): Promise<readonly CommittedOffset[]>;
  groupStates(groups: readonly string[], deadlineMs: Ms): Promise<ReadonlyMap<string, GroupState>>;
  /** Commits for a group without members. Expected refusals are values. */
  applyGroupOffsets(group: string, offsets: readonly OffsetEntry[], deadlineMs: Ms): Promise<ApplyOutcome>;
  /** Takes back what a group without members had committed. `active`: somebody is in it. */
  deleteGroupOffsets(group: string, of: PartitionSet, deadlineMs: Ms): Promise<'removed' | 'active'>;
  /** One record with acks=all. A refusal is a value: it is what a fence's proof looks for. */
  write(
    record: Readonly<{ topic: string; partition: number; key: Buffer | null; value: Buffer | null }>,
    deadlineMs: Ms,
  ): Promise<WriteOutcome>;
  /** Reads a topic from its start (or `from`) to its present end without a consumer group. Bounded by `maxRecords`. */
  readTopic(topic: string, visit: (record: FetchedRecord) => void, options: ReadTopicOptions): Promise<void>;
  /** Data records per range, read committed, without a consumer group; at most {@link RangeCount.records} of 1,000 each. */
  countRecords(ranges: readonly LogRange[], deadlineMs: Ms): Promise<readonly RangeCount[]>;
  close(): void;
}

/** `to` is exclusive. */
export type LogRange = Readonly<{ topic: string; partition: number; from: number; to: number }>;
/** `openFrom`: first offset below the range's end that an open transaction hides; null: none. */
export type RangeCount = Readonly<{ topic: string; partition: number; records: number; openFrom: number | null }>;

export type ReadTopicOptions = Readonly<{
  deadlineMs: Ms;
  maxRecords?: number; // default 10,000,000
  from?: ReadonlyMap<number, number>; // partition → first offset
}>;
