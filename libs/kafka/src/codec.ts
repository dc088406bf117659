import type {
  describeConfigsV4,
  describeLogDirsV4,
  fetchV12,
  listOffsetsV7,
  metadataV12,
  offsetFetchV8,
} from '@platformatic/kafka';
import { formatAddress } from './connection-config.js';
import type {
  ClusterLayout,
  CommittedList,
  CommittedOffset,
  ConfigTable,
  ConfigValue,
  FetchedRecord,
  FetchedSlice,
  LogDir,
  OffsetEntry,
  OffsetFailure,
  OffsetList,
  TopicLayout,
} from './ports.js';

/** The library's decoded replies → our own shapes. Nothing here does I/O. */

type MetadataResponse = ReturnType<typeof metadataV12.parseResponse>;
type ListOffsetsResponse = ReturnType<typeof listOffsetsV7.parseResponse>;
type OffsetFetchResponse = ReturnType<typeof offsetFetchV8.parseResponse>;
type DescribeConfigsResponse = ReturnType<typeof describeConfigsV4.parseResponse>;
type LogDirsResponse = ReturnType<typeof describeLogDirsV4.parseResponse>;
type FetchResponse = ReturnType<typeof fetchV12.parseResponse>;

const CONTROL_BATCH = 1 << 5;
const TOPIC_CONFIG_SOURCE = 1;

export function toLayout(r: MetadataResponse): ClusterLayout {
  const topics = new Map<string, TopicLayout>();
  for (const t of r.topics) {
    if (t.name === null || t.name === undefined) continue;
    topics.set(t.name, {
      name: t.name,
      id: t.topicId,
      internal: t.isInternal,
      errorCode: t.errorCode,
      partitions: t.partitions
        .map((p) => ({ partition: p.partitionIndex, leader: p.leaderId, replicas: p.replicaNodes, isr: p.isrNodes }))
        .toSorted((x, y) => x.partition - y.partition),
    });
  }
  return {
    clusterId: r.clusterId ?? null,
    brokers: r.brokers.map((b) => ({ id: b.nodeId, address: formatAddress(b.host, b.port) })),
    topics,
  };
}

export function toOffsetList(r: ListOffsetsResponse): OffsetList {
  const offsets: OffsetEntry[] = [];
  const failed: OffsetFailure[] = [];
  for (const t of r.topics) {
    for (const p of t.partitions) {
      const at = { topic: t.name, partition: p.partitionIndex };
      if (p.errorCode === 0) offsets.push({ ...at, offset: Number(p.offset) });
      else failed.push({ ...at, errorCode: p.errorCode });
    }
  }
  return { offsets, failed };
}

/** A partition without a commit answers -1: it is left out. */
export function toCommitted(r: OffsetFetchResponse): readonly CommittedOffset[] {
  const all: CommittedOffset[] = [];
  for (const g of r.groups) {
    for (const t of g.topics) {
      for (const p of t.partitions) {
        if (p.errorCode !== 0 || p.committedOffset < 0n) continue;
        all.push({ group: g.groupId, topic: t.name, partition: p.partitionIndex, offset: Number(p.committedOffset) });
      }
    }
  }
  return all;
}

export const toCommittedList = (r: OffsetFetchResponse): CommittedList => ({
  offsets: toCommitted(r),
  failed: r.groups.filter((g) => g.errorCode !== 0).map((g) => ({ group: g.groupId, errorCode: g.errorCode })),
});

export function toConfigTable(r: DescribeConfigsResponse): ConfigTable {
  const table = new Map<string, ReadonlyMap<string, ConfigValue>>();
  for (const result of r.results) {
    if (result.errorCode !== 0) continue;
    const values = new Map<string, ConfigValue>();
    for (const c of result.configs) {
      values.set(c.name, { value: c.value ?? null, set: c.configSource === TOPIC_CONFIG_SOURCE });
    }
    table.set(result.resourceName, values);
  }
  return table;
}

/** Brokers that do not know their sizes say -1. */
export const toLogDirs = (r: LogDirsResponse): readonly LogDir[] =>
  r.results
    .filter((d) => d.errorCode === 0 && d.totalBytes > 0n && d.usableBytes >= 0n)
    .map((d) => ({ freeBytes: Number(d.usableBytes), totalBytes: Number(d.totalBytes) }));

/** The one partition of a fetch answer. Batches may begin before the asked offset; transaction markers hold no record. */
export function toSlice(r: FetchResponse, topic: string, partition: number, from: number): FetchedSlice {
  const part = r.responses[0]?.partitions.find((p) => p.partitionIndex === partition);
  const records: FetchedRecord[] = [];
  let nextOffset = from;
  for (const batch of part?.records ?? []) {
    const first = Number(batch.firstOffset);
    nextOffset = Math.max(nextOffset, first + batch.lastOffsetDelta + 1);
    if ((batch.attributes & CONTROL_BATCH) !== 0) continue;
    for (const record of batch.records) {
      const offset = first + record.offsetDelta;
      if (offset < from) continue;
      records.push({
        topic,
        partition,
        offset,
        timestampMs: Number(batch.firstTimestamp + record.timestampDelta),
        key: record.key,
        value: record.value,
      });
    }
  }
  return { records, nextOffset, highWatermark: Number(part?.highWatermark ?? -1n) };
}
