import { tailTopic, type TailCommand, type TailRange, type TopicPartition } from '#failover';
import type { ClusterHands, ClusterLayout, RecordLog } from '#kafka';
import { durabilityOf, spread } from '../probes/canary-topic.js';
import { isWithin, originOf, withOrigin, type RangeOrigin } from './origin.js';
import { RecordWriter } from './record-writer.js';
import { readableRanges, SETTLE_MS, spanOf, TAIL_CALL_MS, topicIdsOf, type TailSource } from './report-tail.hand.js';
import { TailFile } from './tail-file.js';
import type { TailWork } from './tail-job.js';
import { tailLine } from './tail-line.js';

type ExportTail = Extract<TailCommand, { kind: 'export_tail' }>;
export type TailTarget = Readonly<{
  hands: Pick<ClusterHands, 'offsets' | 'layout' | 'topicConfigs' | 'createTopic'>;
  log: RecordLog;
}>;
type Count = { written: number; present: number; finished: boolean };

const MAX_PARTITIONS = 64;

/** The whole tail, values and headers too, into one file that is there whole or not at all. */
export function exportToFileWork(source: TailSource, body: ExportTail, path: string): TailWork {
  const count: Count = { written: 0, present: 0, finished: false };
  return {
    progress: () => progressOf(body, count, path),
    run: async (signal) => {
      const file = await TailFile.begin(path);
      try {
        for (const range of await readableRanges(source, body.ranges)) {
          const at = { cluster: body.from, topic: range.topic, partition: range.partition };
          for await (const slice of source.log.read(range, { callMs: TAIL_CALL_MS, signal })) {
            for (const record of slice) await file.write(tailLine(at, record, true));
            count.written += slice.length;
          }
        }
        await file.end();
        count.finished = true;
      } finally {
        if (!count.finished) file.abandon();
      }
    },
  };
}

/**
 * The whole tail into the quarantine topic on the active cluster. Each record says where it came from; a second run reads what
 * is there and goes on behind it.
 */
export function exportToTopicWork(source: TailSource, target: TailTarget, group: string, body: ExportTail): TailWork {
  const count: Count = { written: 0, present: 0, finished: false };
  const topic = tailTopic(group);
  return {
    progress: () => progressOf(body, count, topic),
    run: async (signal, mustBeAsked) => {
      const partitions = await ensureQuarantine(target.hands, topic, body);
      const ids = await topicIdsOf(source);
      const readable = await readableRanges(source, body.ranges);
      const wanted = readable.map((range) => ({ cluster: body.from, topicId: ids.get(range.topic) ?? null, range }));
      const newest = await newestOrigins(target, topic, wanted, signal);
      for (const { cluster, topicId, range } of wanted) {
        const at = { cluster, topicId, topic: range.topic, partition: range.partition };
        const upTo = newest.get(range) ?? -1;
        const writer = new RecordWriter(target.log, topic, range.partition % partitions, mustBeAsked);
        for await (const slice of source.log.read(range, { callMs: TAIL_CALL_MS, signal })) {
          for (const record of slice) {
            if (record.offset > upTo) await writer.add(withOrigin({ ...at, offset: record.offset }, record));
          }
          await writer.flush();
          const present = slice.filter((r) => r.offset <= upTo).length;
          count.present += present;
          count.written += slice.length - present;
        }
      }
      count.finished = true;
    },
  };
}

const progressOf = (body: ExportTail, { written, present, finished }: Count, place: string) =>
  ({
    kind: 'tail_export',
    progress: { finished, done: written + present, total: spanOf(body.ranges) },
    written,
    present,
    place,
  }) as const;

/** @returns its number of partitions; records of one partition of the tail stay in their order. */
async function ensureQuarantine(hands: TailTarget['hands'], topic: string, body: ExportTail): Promise<number> {
  const layout = await hands.layout(TAIL_CALL_MS);
  const there = layout.topics.get(topic)?.partitions.length ?? 0;
  if (there > 0) return there;
  const wanted = Math.min(MAX_PARTITIONS, 1 + Math.max(0, ...body.ranges.map((r) => r.partition)));
  const like = new Set(body.ranges.map((r) => r.topic));
  const known = [...like].filter((t) => layout.topics.has(t));
  const table = await hands.topicConfigs(known, ['min.insync.replicas'], TAIL_CALL_MS);
  const { replicationFactor, minIsr } = durabilityOf(layout, table, (t) => like.has(t));
  const configs = {
    'min.insync.replicas': String(minIsr),
    'cleanup.policy': 'delete',
    'retention.ms': '-1', // a person empties it
    'retention.bytes': '-1',
  };
  await hands.createTopic(
    { name: topic, assignment: assignment(layout, wanted, replicationFactor), configs },
    TAIL_CALL_MS,
  );
  return wanted;
}

function assignment(layout: ClusterLayout, partitions: number, replicationFactor: number): number[][] {
  const ids = layout.brokers.map((b) => b.id).toSorted((x, y) => x - y);
  const leaders = Array.from({ length: partitions }, (_, i) => ids[i % ids.length] ?? 0);
  return spread(ids, leaders, replicationFactor);
}

/** Range → the offset of its newest record in the topic. */
async function newestOrigins(
  target: TailTarget,
  topic: string,
  wanted: readonly RangeOrigin[],
  signal: AbortSignal,
): Promise<ReadonlyMap<TailRange, number>> {
  const byPlace = new Map<string, RangeOrigin[]>();
  for (const w of wanted) byPlace.set(keyOf(w.range), [...(byPlace.get(keyOf(w.range)) ?? []), w]);
  const starts = await target.hands.offsets([topic], 'start', TAIL_CALL_MS);
  const patience = { callMs: TAIL_CALL_MS, waitMs: SETTLE_MS, signal };
  const newest = new Map<TailRange, number>();
  for (const { partition, offset: start } of starts) {
    const range = { topic, partition, from: start, to: await target.log.settledEnd({ topic, partition }, patience) };
    for await (const slice of target.log.read(range, { callMs: TAIL_CALL_MS, signal })) {
      for (const origin of slice.map(originOf)) {
        const of = origin === null ? undefined : byPlace.get(keyOf(origin))?.find((w) => isWithin(origin, w));
        if (origin !== null && of) newest.set(of.range, Math.max(newest.get(of.range) ?? -1, origin.offset));
      }
    }
  }
  return newest;
}

const keyOf = (p: TopicPartition): string => `${p.partition}/${p.topic}`;
