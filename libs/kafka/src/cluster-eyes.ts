import {
  apiVersionsV3,
  describeConfigsV4,
  describeGroupsV5,
  describeLogDirsV4,
  describeQuorumV2,
  fetchV12,
  findCoordinatorV4,
  listOffsetsV7,
  metadataV12,
  offsetFetchV8,
  produceV9,
  type Connection,
} from '@platformatic/kafka';
import type { Ms } from '#health';
import { toCommittedList, toConfigTable, toLayout, toLogDirs, toOffsetList, toSlice } from './codec.js';
import type { ClusterConnectionConfig } from './connection-config.js';
import { monotonicMs } from './deadline.js';
import { failureOf, responseIn } from './kafka-error.js';
import { LinkPool } from './link-pool.js';
import type { Address, Answer, ClusterEyes, Lane, PartitionSet } from './ports.js';

const TOPIC = 2;
const BROKER = 4;
const GROUP_KEY = 0;
const ACKS_ALL = -1;
const READ_UNCOMMITTED = 0;
const END = -1n;
const START = -2n;

type Question<R, T> = Readonly<{
  name: string;
  lane: Lane;
  ask: (connection: Connection) => Promise<R>;
  read: (reply: R) => T;
  /** A reply that carries errors is still read: its healthy parts count. */
  tolerant: boolean;
}>;

/** {@link ClusterEyes} over the raw calls of @platformatic/kafka, one connection of our own per broker and lane. */
export class PlatformaticEyes implements ClusterEyes {
  readonly #links: LinkPool;
  readonly #counts = new Map<string, number>();

  constructor(config: ClusterConnectionConfig) {
    this.#links = new LinkPool(config);
  }

  get requestCounts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  apiVersions(address: Address, deadlineMs: Ms) {
    return this.#ask(address, deadlineMs, {
      name: 'ApiVersions',
      lane: 'facts',
      ask: (c) => apiVersionsV3.api.async(c, 'pointsman', '1'),
      read: () => null,
      tolerant: true,
    });
  }

  metadata(address: Address, topics: readonly string[] | null, deadlineMs: Ms) {
    return this.#ask(address, deadlineMs, {
      name: 'Metadata',
      lane: 'facts',
      ask: (c) => metadataV12.api.async(c, topics === null ? null : [...topics], false, false),
      read: toLayout,
      tolerant: true,
    });
  }

  quorumLeader(address: Address, deadlineMs: Ms) {
    return this.#ask(address, deadlineMs, {
      name: 'DescribeQuorum',
      lane: 'quorum',
      ask: (c) =>
        describeQuorumV2.api.async(c, [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]),
      read: (r) => {
        const leader = r.topics[0]?.partitions[0]?.leaderId ?? -1;
        return leader >= 0 ? leader : null;
      },
      tolerant: false,
    });
  }

  offsets(address: Address, partitions: PartitionSet, at: 'end' | 'start', deadlineMs: Ms) {
    const timestamp = at === 'end' ? END : START;
    const topics = [...partitions].map(([name, indexes]) => ({
      name,
      partitions: indexes.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp })),
    }));
    return this.#ask(address, deadlineMs, {
      name: 'ListOffsets',
      lane: 'facts',
      ask: (c) => listOffsetsV7.api.async(c, -1, READ_UNCOMMITTED, topics),
      read: toOffsetList,
      tolerant: true,
    });
  }

  coordinators(address: Address, groups: readonly string[], deadlineMs: Ms) {
    return this.#ask(address, deadlineMs, {
      name: 'FindCoordinator',
      lane: 'slow',
      ask: (c) => findCoordinatorV4.api.async(c, GROUP_KEY, [...groups]),
      read: (r): ReadonlyMap<string, number> =>
        new Map(r.coordinators.filter((x) => x.errorCode === 0).map((x) => [x.key, x.nodeId])),
      tolerant: true,
    });
  }

  committedOffsets(address: Address, groups: readonly string[], deadlineMs: Ms) {
    return this.#ask(address, deadlineMs, {
      name: 'OffsetFetch',
      lane: 'slow', // a coordinator that loads its partition must not hold up what says that the broker lives
      ask: (c) =>
        offsetFetchV8.api.async(
          c,
          groups.map((groupId) => ({ groupId, memberId: null, memberEpoch: -1, topics: null })),
          false,
        ),
      read: toCommittedList,
      tolerant: true,
    });
  }

  groupMembers(address: Address, groups: readonly string[], deadlineMs: Ms) {
    return this.#ask(address, deadlineMs, {
      name: 'DescribeGroups',
      lane: 'slow',
      ask: (c) => describeGroupsV5.api.async(c, [...groups], false),
      read: (r): ReadonlyMap<string, number> =>
        new Map(r.groups.filter((g) => g.errorCode === 0).map((g) => [g.groupId, g.members.length])),
      tolerant: true,
    });
  }

  /** Asked for no topic: only the sizes come back, whatever the number of partitions. */
  logDirs(address: Address, deadlineMs: Ms) {
    return this.#ask(address, deadlineMs, {
      name: 'DescribeLogDirs',
      lane: 'slow',
      ask: (c) => describeLogDirsV4.api.async(c, []),
      read: toLogDirs,
      tolerant: true,
    });
  }

  topicConfigs(address: Address, topics: readonly string[], keys: readonly string[], deadlineMs: Ms) {
    return this.#configs(address, TOPIC, topics, keys, deadlineMs);
  }

  brokerConfigs(address: Address, brokerId: number, keys: readonly string[], deadlineMs: Ms) {
    return this.#configs(address, BROKER, [String(brokerId)], keys, deadlineMs);
  }

  produce(
    address: Address,
    record: Readonly<{ topic: string; partition: number; key: Buffer | null; value: Buffer | null }>,
    deadlineMs: Ms,
  ) {
    return this.#ask(address, deadlineMs, {
      name: 'Produce',
      lane: 'canary',
      ask: (c) => produceV9.api.async(c, ACKS_ALL, Math.ceil(deadlineMs), [toMessage(record)], {}),
      read: (r) => (typeof r === 'boolean' ? -1 : Number(r.responses[0]?.partitionResponses[0]?.baseOffset ?? -1n)),
      tolerant: false,
    });
  }

  fetch(
    address: Address,
    from: Readonly<{ topic: string; partition: number; offset: number; maxBytes: number; maxWaitMs: Ms }>,
    deadlineMs: Ms,
  ) {
    const partitions = [
      {
        partition: from.partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(from.offset),
        lastFetchedEpoch: -1,
        partitionMaxBytes: from.maxBytes,
      },
    ];
    return this.#ask(address, deadlineMs, {
      name: 'Fetch',
      lane: 'canary',
      ask: (c) =>
        fetchV12.api.async(
          c,
          from.maxWaitMs,
          1,
          from.maxBytes,
          READ_UNCOMMITTED,
          0,
          -1,
          [{ topicId: from.topic, partitions }],
          [],
          '',
        ),
      read: (r) => toSlice(r, from.topic, from.partition, from.offset),
      tolerant: false,
    });
  }

  retain(addresses: ReadonlySet<Address>): void {
    this.#links.retain(addresses);
  }

  close(): void {
    this.#links.close();
  }

  #configs(address: Address, resourceType: 2 | 4, names: readonly string[], keys: readonly string[], deadlineMs: Ms) {
    const resources = names.map((resourceName) => ({ resourceType, resourceName, configurationKeys: [...keys] }));
    return this.#ask(address, deadlineMs, {
      name: 'DescribeConfigs',
      lane: 'slow',
      ask: (c) => describeConfigsV4.api.async(c, resources, false, false),
      read: toConfigTable,
      tolerant: true,
    });
  }

  async #ask<R, T>(address: Address, deadlineMs: Ms, question: Question<R, T>): Promise<Answer<T>> {
    const startedAtMs = monotonicMs();
    const { name, lane, ask, read, tolerant } = question;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    try {
      const reply = await this.#links.link(lane, address).call(name, ask, deadlineMs);
      return { ok: true, value: read(reply), latencyMs: monotonicMs() - startedAtMs };
    } catch (error) {
      const reply = tolerant ? responseIn<R>(error) : null;
      const latencyMs = monotonicMs() - startedAtMs;
      if (reply !== null) return { ok: true, value: read(reply), latencyMs };
      return { ok: false, ...failureOf(error), latencyMs };
    }
  }
}

export const toMessage = (
  r: Readonly<{ topic: string; partition: number; key: Buffer | null; value: Buffer | null }>,
) => ({
  topic: r.topic,
  partition: r.partition,
  ...(r.key ? { key: r.key } : {}),
  value: r.value as Buffer, // a null value is a tombstone: the encoder writes length -1
});
