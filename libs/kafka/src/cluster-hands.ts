import {
  createPartitionsV3,
  createTopicsV7,
  describeConfigsV4,
  describeGroupsV5,
  fetchV12,
  findCoordinatorV4,
  incrementalAlterConfigsV1,
  listOffsetsV7,
  metadataV12,
  offsetCommitV8,
  offsetFetchV8,
  produceV9,
  type Connection,
} from '@platformatic/kafka';
import type { Ms } from '#health';
import { toMessage } from './cluster-eyes.js';
import { toCommitted, toConfigTable, toLayout, toOffsetList, toSlice } from './codec.js';
import type { ClusterConnectionConfig } from './connection-config.js';
import { DeadlineError, monotonicMs, pause } from './deadline.js';
import { failureOf, KafkaCallError, responseIn } from './kafka-error.js';
import { LinkPool } from './link-pool.js';
import type {
  Address,
  ApplyOutcome,
  ClusterHands,
  ClusterLayout,
  CommittedOffset,
  ConfigChange,
  ConfigTable,
  FetchedRecord,
  GroupState,
  OffsetEntry,
  ReadTopicOptions,
  TopicSpec,
  WriteOutcome,
} from './ports.js';

const TOPIC = 2;
const SET = 0;
const DELETE = 1;
const GROUP_KEY = 0;
const ACKS_ALL = -1;
const NO_GENERATION = -1;
const TOPIC_ALREADY_EXISTS = 36;
const UNKNOWN_TOPIC = 3;
/** UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, NON_EMPTY_GROUP, STALE_MEMBER_EPOCH: somebody is in the group. */
const GROUP_ACTIVE_CODES: ReadonlySet<number> = new Set([25, 22, 27, 68, 113]);
/** A moved leader or coordinator, or one that is not ready: ask again where the cluster says now. */
const STALE_CODES: ReadonlySet<number> = new Set([5, 6, 14, 15, 16]);
const RETRY_PAUSE_MS = 100;
const FETCH_BYTES = 4 * 1024 * 1024;
const FETCH_WAIT_MS = 100;
const DEFAULT_MAX_RECORDS = 10_000_000;

const GROUP_STATES: Readonly<Record<string, GroupState>> = {
  Empty: 'EMPTY',
  Stable: 'STABLE',
  PreparingRebalance: 'REBALANCING',
  CompletingRebalance: 'REBALANCING',
  Assigning: 'REBALANCING',
  Reconciling: 'REBALANCING',
  Dead: 'DEAD',
};

/** What is left of one operation's deadline; every step of it draws on the same purse. */
class Budget {
  readonly #endsAtMs: Ms;
  readonly #totalMs: Ms;
  constructor(totalMs: Ms) {
    this.#totalMs = totalMs;
    this.#endsAtMs = monotonicMs() + totalMs;
  }
  leftMs(): Ms {
    return this.#endsAtMs - monotonicMs();
  }
  require(what: string): Ms {
    const left = this.leftMs();
    if (left <= 0) throw new KafkaCallError(what, failureOf(new DeadlineError(what, this.#totalMs)));
    return left;
  }
}

/** {@link ClusterHands} over raw calls of @platformatic/kafka, on connections apart from the probes'. */
export class PlatformaticHands implements ClusterHands {
  readonly #config: ClusterConnectionConfig;
  readonly #links: LinkPool;
  #known: readonly Address[];

  constructor(config: ClusterConnectionConfig) {
    this.#config = config;
    this.#links = new LinkPool(config);
    this.#known = config.bootstrapServers;
  }

  layout(deadlineMs: Ms): Promise<ClusterLayout> {
    return this.#layout(null, new Budget(deadlineMs));
  }

  async topicConfigs(topics: readonly string[], keys: readonly string[], deadlineMs: Ms): Promise<ConfigTable> {
    if (topics.length === 0) return new Map();
    return this.#any('DescribeConfigs', new Budget(deadlineMs), (c) => describeTopics(c, topics, keys));
  }

  async topicConfigsEverywhere(
    topics: readonly string[],
    keys: readonly string[],
    deadlineMs: Ms,
  ): Promise<readonly ConfigTable[]> {
    const budget = new Budget(deadlineMs);
    const { brokers } = await this.#layout([], budget);
    const leftMs = budget.require('DescribeConfigs');
    const answers = await Promise.allSettled(
      brokers.map((b) => this.#at(b.address, 'DescribeConfigs', leftMs, (c) => describeTopics(c, topics, keys))),
    );
    const tables = answers.flatMap((a) => (a.status === 'fulfilled' ? [a.value] : []));
    const failed = answers.find((a) => a.status === 'rejected');
    if (tables.length === 0 && failed) throw failed.reason;
    return tables;
  }

  async changeTopicConfigs(changes: readonly ConfigChange[], deadlineMs: Ms): Promise<void> {
    if (changes.length === 0) return;
    const byTopic = groupBy(changes, (c) => c.topic);
    const resources = [...byTopic].map(([resourceName, list]) => ({
      resourceType: TOPIC as 2,
      resourceName,
      configs: list.map((c) =>
        c.value === null
          ? { name: c.key, configOperation: DELETE as 1 }
          : { name: c.key, configOperation: SET as 0, value: c.value },
      ),
    }));
    await this.#any('IncrementalAlterConfigs', new Budget(deadlineMs), (c) =>
      incrementalAlterConfigsV1.api.async(c, resources, false),
    );
  }

  async createTopic(spec: TopicSpec, deadlineMs: Ms): Promise<boolean> {
    const assignments = spec.assignment.map((brokerIds, partitionIndex) => ({
      partitionIndex,
      brokerIds: [...brokerIds],
    }));
    const configs = Object.entries(spec.configs).map(([name, value]) => ({ name, value }));
    const topic = { name: spec.name, numPartitions: -1, replicationFactor: -1, assignments, configs };
    try {
      await this.#any('CreateTopics', new Budget(deadlineMs), (c) =>
        createTopicsV7.api.async(c, [topic], Math.ceil(deadlineMs), false),
      );
      return true;
    } catch (error) {
      if (error instanceof KafkaCallError && error.errorCode === TOPIC_ALREADY_EXISTS) return false;
      throw error;
    }
  }

  async addPartitions(
    topic: string,
    assignment: readonly (readonly number[])[],
    total: number,
    deadlineMs: Ms,
  ): Promise<void> {
    const assignments = assignment.map((brokerIds) => ({ brokerIds: [...brokerIds] }));
    await this.#any('CreatePartitions', new Budget(deadlineMs), (c) =>
      createPartitionsV3.api.async(c, [{ name: topic, count: total, assignments }], Math.ceil(deadlineMs), false),
    );
  }

  async offsets(topics: readonly string[], at: 'end' | 'start', deadlineMs: Ms): Promise<readonly OffsetEntry[]> {
    const budget = new Budget(deadlineMs);
    return this.#retryStale('ListOffsets', budget, async () => {
      const layout = await this.#layout(topics, budget);
      const byLeader = new Map<Address, Map<string, number[]>>();
      for (const name of topics) {
        const topic = layout.topics.get(name);
        if (!topic || topic.partitions.length === 0) throw unknownTopic(name);
        for (const p of topic.partitions) {
          const address = layout.brokers.find((b) => b.id === p.leader)?.address;
          if (!address) throw leaderless(name, p.partition);
          const part = byLeader.get(address) ?? new Map<string, number[]>();
          byLeader.set(address, part.set(name, [...(part.get(name) ?? []), p.partition]));
        }
      }
      const lists = await Promise.all(
        [...byLeader].map(([address, part]) =>
          this.#at(address, 'ListOffsets', budget.require('ListOffsets'), (c) => listOffsets(c, part, at)),
        ),
      );
      return lists.flat();
    });
  }

  async groupOffsets(groups: readonly string[], deadlineMs: Ms): Promise<readonly CommittedOffset[]> {
    const asked = await this.#byCoordinator('OffsetFetch', groups, new Budget(deadlineMs), async (c, part) => {
      const wanted = part.map((groupId) => ({ groupId, memberId: null, memberEpoch: -1, topics: null }));
      return toCommitted(await offsetFetchV8.api.async(c, wanted, false));
    });
    return asked.flat();
  }

  async groupStates(groups: readonly string[], deadlineMs: Ms): Promise<ReadonlyMap<string, GroupState>> {
    const asked = await this.#byCoordinator('DescribeGroups', groups, new Budget(deadlineMs), async (c, part) => {
      const reply = await describeGroupsV5.api.async(c, [...part], false);
      return reply.groups.map((g) => [g.groupId, GROUP_STATES[g.groupState] ?? 'UNKNOWN'] as const);
    });
    return new Map(asked.flat());
  }

  async applyGroupOffsets(group: string, offsets: readonly OffsetEntry[], deadlineMs: Ms): Promise<ApplyOutcome> {
    const topics = [...groupBy(offsets, (o) => o.topic)].map(([name, list]) => ({
      name,
      partitions: list.map((o) => ({
        partitionIndex: o.partition,
        committedOffset: BigInt(o.offset),
        committedLeaderEpoch: -1,
        committedMetadata: '',
      })),
    }));
    try {
      await this.#byCoordinator('OffsetCommit', [group], new Budget(deadlineMs), (c) =>
        offsetCommitV8.api.async(c, group, NO_GENERATION, '', null, topics),
      );
      return 'applied';
    } catch (error) {
      if (!(error instanceof KafkaCallError) || error.errorCode === null) throw error;
      if (GROUP_ACTIVE_CODES.has(error.errorCode)) return 'active';
      if (error.errorCode === UNKNOWN_TOPIC) return 'unknown_topic';
      throw error;
    }
  }

  async write(
    record: Readonly<{ topic: string; partition: number; key: Buffer | null; value: Buffer | null }>,
    deadlineMs: Ms,
  ): Promise<WriteOutcome> {
    const budget = new Budget(deadlineMs);
    try {
      const address = await this.#leader(record.topic, record.partition, budget);
      await this.#at(address, 'Produce', budget.require('Produce'), (c) =>
        produceV9.api.async(c, ACKS_ALL, Math.ceil(deadlineMs), [toMessage(record)], {}),
      );
      return { accepted: true, errorCode: null, kind: null, detail: 'acknowledged by all in sync' };
    } catch (error) {
      const { kind, errorCode, detail } =
        error instanceof KafkaCallError ? { ...error, detail: error.message } : failureOf(error);
      return { accepted: false, errorCode, kind, detail };
    }
  }

  async readTopic(topic: string, visit: (record: FetchedRecord) => void, options: ReadTopicOptions): Promise<void> {
    const budget = new Budget(options.deadlineMs);
    const [starts, ends] = await Promise.all([
      this.offsets([topic], 'start', budget.require('ListOffsets')),
      this.offsets([topic], 'end', budget.require('ListOffsets')),
    ]);
    let left = options.maxRecords ?? DEFAULT_MAX_RECORDS;
    for (const end of ends) {
      const start = starts.find((s) => s.partition === end.partition)?.offset ?? 0;
      let next = Math.max(start, options.from?.get(end.partition) ?? 0);
      while (next < end.offset) {
        const slice = await this.#fetch(topic, end.partition, next, budget);
        for (const record of slice.records) {
          if (record.offset >= end.offset) break;
          if ((left -= 1) < 0)
            throw new KafkaCallError(`reading ${topic}`, other(`more than ${options.maxRecords} records`));
          visit(record);
        }
        if (slice.nextOffset <= next) await pause(RETRY_PAUSE_MS); // a slow follower read: the budget ends it
        next = Math.max(next, slice.nextOffset);
      }
    }
  }

  close(): void {
    this.#links.close();
  }

  #fetch(topic: string, partition: number, offset: number, budget: Budget) {
    return this.#retryStale('Fetch', budget, async () => {
      const address = await this.#leader(topic, partition, budget);
      return this.#at(address, 'Fetch', budget.require('Fetch'), async (c) => {
        const from = {
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: BigInt(offset),
          lastFetchedEpoch: -1,
          partitionMaxBytes: FETCH_BYTES,
        };
        const asked = [{ topicId: topic, partitions: [from] }];
        const reply = await fetchV12.api.async(c, FETCH_WAIT_MS, 1, FETCH_BYTES, 0, 0, -1, asked, [], '');
        return toSlice(reply, topic, partition, offset);
      });
    });
  }

  async #leader(topic: string, partition: number, budget: Budget): Promise<Address> {
    const layout = await this.#layout([topic], budget);
    const p = layout.topics.get(topic)?.partitions.find((x) => x.partition === partition);
    if (!p) throw unknownTopic(topic);
    const address = layout.brokers.find((b) => b.id === p.leader)?.address;
    if (!address) throw leaderless(topic, partition);
    return address;
  }

  async #layout(topics: readonly string[] | null, budget: Budget): Promise<ClusterLayout> {
    const layout = await this.#any('Metadata', budget, async (c) => {
      const wanted = topics === null ? null : [...topics];
      return toLayout(await tolerate(metadataV12.api.async(c, wanted, false, false)));
    });
    const fresh = layout.brokers.map((b) => b.address);
    this.#known = [...new Set([...fresh, ...this.#config.bootstrapServers])];
    return layout;
  }

  /** Groups by coordinator, one request to each; a moved coordinator is looked up again within the budget. */
  #byCoordinator<T>(
    what: string,
    groups: readonly string[],
    budget: Budget,
    ask: (connection: Connection, groups: readonly string[]) => Promise<T>,
  ): Promise<T[]> {
    return this.#retryStale(what, budget, async () => {
      const found = await this.#any('FindCoordinator', budget, async (c) => {
        const reply = await findCoordinatorV4.api.async(c, GROUP_KEY, [...groups]);
        return groupBy(reply.coordinators, (x) => `${x.host}:${x.port}`);
      });
      const leftMs = budget.require(what);
      return Promise.all(
        [...found].map(([at, list]) =>
          this.#at(at, what, leftMs, (c) =>
            ask(
              c,
              list.map((x) => x.key),
            ),
          ),
        ),
      );
    });
  }

  /** The first broker that answers, in turn; each gets a share of what is left, so that one silent broker is survived. */
  async #any<T>(what: string, budget: Budget, ask: (connection: Connection) => Promise<T>): Promise<T> {
    let last: unknown = null;
    const known = this.#known;
    for (const [i, address] of known.entries()) {
      const shareMs = budget.require(what) / Math.min(2, known.length - i);
      try {
        return await this.#at(address, what, shareMs, ask);
      } catch (error) {
        last = error;
        if (error instanceof KafkaCallError && error.errorCode !== null) throw error; // an answer is an answer
        this.#known = [...this.#known.filter((a) => a !== address), address]; // silent ones are asked last
      }
    }
    throw last ?? new KafkaCallError(what, other('no broker address to ask'));
  }

  async #at<T>(
    address: Address,
    what: string,
    deadlineMs: Ms,
    ask: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#links.link('hands', address).call(what, ask, deadlineMs);
    } catch (cause) {
      throw cause instanceof KafkaCallError
        ? cause
        : new KafkaCallError(`${what} at ${address}`, failureOf(cause), { cause });
    }
  }

  async #retryStale<T>(what: string, budget: Budget, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const stale = error instanceof KafkaCallError && error.errorCode !== null && STALE_CODES.has(error.errorCode);
        if (!stale || budget.leftMs() <= RETRY_PAUSE_MS) throw error;
        await pause(RETRY_PAUSE_MS);
        budget.require(what);
      }
    }
  }
}

async function describeTopics(c: Connection, topics: readonly string[], keys: readonly string[]): Promise<ConfigTable> {
  const resources = topics.map((resourceName) => ({
    resourceType: TOPIC as 2,
    resourceName,
    configurationKeys: [...keys],
  }));
  return toConfigTable(await tolerate(describeConfigsV4.api.async(c, resources, false, false)));
}

async function listOffsets(c: Connection, part: ReadonlyMap<string, readonly number[]>, at: 'end' | 'start') {
  const timestamp = at === 'end' ? -1n : -2n;
  const topics = [...part].map(([name, indexes]) => ({
    name,
    partitions: indexes.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp })),
  }));
  return toOffsetList(await listOffsetsV7.api.async(c, -1, 0, topics)).offsets; // any failed partition throws
}

async function tolerate<R>(work: Promise<R>): Promise<R> {
  try {
    return await work;
  } catch (error) {
    const reply = responseIn<R>(error);
    if (reply === null) throw error;
    return reply;
  }
}

function groupBy<T>(list: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

const other = (detail: string) => ({ kind: 'other', errorCode: null, detail }) as const;
const unknownTopic = (topic: string) =>
  new KafkaCallError(topic, { kind: 'broker', errorCode: UNKNOWN_TOPIC, detail: 'unknown topic or partition' });
const leaderless = (topic: string, partition: number) =>
  new KafkaCallError(`${topic}-${partition}`, { kind: 'broker', errorCode: 5, detail: 'no leader' });
