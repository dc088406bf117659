import {
  createPartitionsV3,
  createTopicsV7,
  deleteTopicsV6,
  describeConfigsV4,
  incrementalAlterConfigsV1,
  listOffsetsV7,
  produceV9,
  type Connection,
} from '@platformatic/kafka';
import type { Ms } from '#health';
import { PlatformaticAcls } from './cluster-acls.js';
import { PlatformaticTransactions } from './cluster-transactions.js';
import { toMessage } from './cluster-eyes.js';
import { countRecords } from './count-records.js';
import { toConfigTable, toOffsetList } from './codec.js';
import type { ClusterConnectionConfig } from './connection-config.js';
import { pause } from './deadline.js';
import { commitOffsets, deleteCommitted, describeStates, fetchCommitted } from './group-offsets.js';
import { failureOf, failureOfCode, KafkaCallError } from './kafka-error.js';
import { Budget, groupBy, leaderless, otherFailure, RoutedCalls, tolerate, unknownTopic } from './routed-calls.js';
import type {
  Address,
  ApplyOutcome,
  ClusterAcls,
  ClusterHands,
  ClusterLayout,
  ClusterTransactions,
  CommittedOffset,
  ConfigChange,
  ConfigTable,
  FetchedRecord,
  GroupState,
  LogRange,
  OffsetEntry,
  PartitionSet,
  RangeCount,
  ReadTopicOptions,
  TopicSpec,
  WriteOutcome,
} from './ports.js';

const TOPIC = 2;
const SET = 0;
const DELETE = 1;
const ACKS_ALL = -1;
const TOPIC_ALREADY_EXISTS = 36;
const UNKNOWN_TOPIC_ID = 100;
const RETRY_PAUSE_MS = 100;
const DEFAULT_MAX_RECORDS = 10_000_000;

/** {@link ClusterHands} over raw calls of @platformatic/kafka, on connections apart from the probes'. */
export class PlatformaticHands implements ClusterHands {
  readonly acls: ClusterAcls;
  readonly transactions: ClusterTransactions;
  readonly #calls: RoutedCalls;

  constructor(config: ClusterConnectionConfig) {
    this.#calls = new RoutedCalls(config);
    this.acls = new PlatformaticAcls(this.#calls);
    this.transactions = new PlatformaticTransactions(this.#calls);
  }

  layout(deadlineMs: Ms): Promise<ClusterLayout> {
    return this.#calls.layout(null, new Budget(deadlineMs));
  }

  async topicConfigs(topics: readonly string[], keys: readonly string[] | null, deadlineMs: Ms): Promise<ConfigTable> {
    if (topics.length === 0) return new Map();
    return this.#calls.any('DescribeConfigs', new Budget(deadlineMs), (c) => describeTopics(c, topics, keys));
  }

  async topicConfigsEverywhere(
    topics: readonly string[],
    keys: readonly string[],
    deadlineMs: Ms,
  ): Promise<readonly ConfigTable[]> {
    const budget = new Budget(deadlineMs);
    const { brokers } = await this.#calls.layout([], budget);
    const leftMs = budget.require('DescribeConfigs');
    const answers = await Promise.allSettled(
      brokers.map((b) => this.#calls.at(b.address, 'DescribeConfigs', leftMs, (c) => describeTopics(c, topics, keys))),
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
    await this.#calls.any('IncrementalAlterConfigs', new Budget(deadlineMs), (c) =>
      incrementalAlterConfigsV1.api.async(c, resources, false),
    );
  }

  async createTopic(spec: TopicSpec, deadlineMs: Ms): Promise<boolean> {
    const placed = 'partitions' in spec.assignment ? spec.assignment : null;
    const assignments = 'partitions' in spec.assignment ? [] : spec.assignment.map(toAssignment);
    const configs = Object.entries(spec.configs).map(([name, value]) => ({ name, value }));
    const topic = {
      name: spec.name,
      numPartitions: placed?.partitions ?? -1,
      replicationFactor: placed?.replicationFactor ?? -1,
      assignments,
      configs,
    };
    try {
      await this.#calls.any('CreateTopics', new Budget(deadlineMs), (c) =>
        createTopicsV7.api.async(c, [topic], Math.ceil(deadlineMs), false),
      );
      return true;
    } catch (error) {
      if (error instanceof KafkaCallError && error.errorCode === TOPIC_ALREADY_EXISTS) return false;
      throw error;
    }
  }

  async deleteTopics(ids: readonly string[], deadlineMs: Ms): Promise<void> {
    if (ids.length === 0) return;
    const noName = null as unknown as string; // nullable on the wire, and null it must be beside an id; the library's type is narrower
    const topics = ids.map((topicId) => ({ name: noName, topicId }));
    const { responses } = await this.#calls.any('DeleteTopics', new Budget(deadlineMs), (c) =>
      tolerate(deleteTopicsV6.api.async(c, topics, Math.ceil(deadlineMs))),
    );
    const failed = responses.find((r) => r.errorCode !== 0 && r.errorCode !== UNKNOWN_TOPIC_ID);
    if (failed === undefined) return;
    const what = `deleting topic ${failed.name ?? failed.topicId}`;
    throw new KafkaCallError(what, failureOfCode(failed.errorCode, failed.errorMessage ?? 'refused'));
  }

  async addPartitions(
    topic: string,
    assignment: readonly (readonly number[])[],
    total: number,
    deadlineMs: Ms,
  ): Promise<void> {
    const assignments = assignment.map((brokerIds) => ({ brokerIds: [...brokerIds] }));
    await this.#calls.any('CreatePartitions', new Budget(deadlineMs), (c) =>
      createPartitionsV3.api.async(c, [{ name: topic, count: total, assignments }], Math.ceil(deadlineMs), false),
    );
  }

  async offsets(topics: readonly string[], at: 'end' | 'start', deadlineMs: Ms): Promise<readonly OffsetEntry[]> {
    const budget = new Budget(deadlineMs);
    return this.#calls.retryStale('ListOffsets', budget, async () => {
      const layout = await this.#calls.layout(topics, budget);
      const addresses = new Map(layout.brokers.map((b) => [b.id, b.address]));
      const byLeader = new Map<Address, Map<string, number[]>>();
      for (const name of topics) {
        const topic = layout.topics.get(name);
        if (!topic || topic.partitions.length === 0) throw unknownTopic(name, topic?.errorCode);
        for (const p of topic.partitions) {
          const address = addresses.get(p.leader);
          if (!address) throw leaderless(name, p.partition);
          add(byLeader, address, name, p.partition);
        }
      }
      const lists = await Promise.all(
        [...byLeader].map(([address, part]) =>
          this.#calls.at(address, 'ListOffsets', budget.require('ListOffsets'), (c) => listOffsets(c, part, at)),
        ),
      );
      return lists.flat();
    });
  }

  groupOffsets(groups: readonly string[], deadlineMs: Ms): Promise<readonly CommittedOffset[]> {
    return fetchCommitted(this.#calls, groups, new Budget(deadlineMs));
  }

  groupStates(groups: readonly string[], deadlineMs: Ms): Promise<ReadonlyMap<string, GroupState>> {
    return describeStates(this.#calls, groups, new Budget(deadlineMs));
  }

  applyGroupOffsets(group: string, offsets: readonly OffsetEntry[], deadlineMs: Ms): Promise<ApplyOutcome> {
    return commitOffsets(this.#calls, group, offsets, new Budget(deadlineMs));
  }

  deleteGroupOffsets(group: string, of: PartitionSet, deadlineMs: Ms): Promise<'removed' | 'active'> {
    return deleteCommitted(this.#calls, group, of, new Budget(deadlineMs));
  }

  async write(
    record: Readonly<{ topic: string; partition: number; key: Buffer | null; value: Buffer | null }>,
    deadlineMs: Ms,
  ): Promise<WriteOutcome> {
    const budget = new Budget(deadlineMs);
    try {
      const address = await this.#calls.leader(record.topic, record.partition, budget);
      await this.#calls.at(address, 'Produce', budget.require('Produce'), (c) =>
        produceV9.api.async(c, ACKS_ALL, Math.ceil(deadlineMs), [toMessage(record)], {}),
      );
      return { accepted: true, errorCode: null, kind: null, detail: 'acknowledged by all in sync' };
    } catch (error) {
      const failure = failureOf(error);
      const { kind, errorCode } = error instanceof KafkaCallError ? error : failure;
      return { accepted: false, errorCode, kind, detail: failure.detail };
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
        const slice = await this.#calls.fetch(topic, end.partition, next, budget);
        for (const record of slice.records) {
          if (record.offset >= end.offset) break;
          if ((left -= 1) < 0)
            throw new KafkaCallError(`reading ${topic}`, otherFailure(`more than ${options.maxRecords} records`));
          visit(record);
        }
        if (slice.nextOffset <= next) await pause(RETRY_PAUSE_MS); // a slow follower read: the budget ends it
        next = Math.max(next, slice.nextOffset);
      }
    }
  }

  countRecords(ranges: readonly LogRange[], deadlineMs: Ms): Promise<readonly RangeCount[]> {
    return countRecords(this.#calls, ranges, new Budget(deadlineMs));
  }

  close(): void {
    this.#calls.close();
  }
}

function add(byLeader: Map<Address, Map<string, number[]>>, leader: Address, topic: string, partition: number): void {
  let part = byLeader.get(leader);
  if (!part) byLeader.set(leader, (part = new Map()));
  const list = part.get(topic);
  if (list) list.push(partition);
  else part.set(topic, [partition]);
}

const toAssignment = (brokerIds: readonly number[], partitionIndex: number) => ({
  partitionIndex,
  brokerIds: [...brokerIds],
});

async function describeTopics(
  c: Connection,
  topics: readonly string[],
  keys: readonly string[] | null,
): Promise<ConfigTable> {
  const resources = topics.map((resourceName) => ({
    resourceType: TOPIC as 2,
    resourceName,
    configurationKeys: keys === null ? null : [...keys],
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
