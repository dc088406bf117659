import { crc32 } from 'node:zlib';
import { join } from 'node:path';
import type { TailCommand, TailEdge, TailPartition, TailRange } from '#failover';
import type { ClusterHands, LogRecord, RecordLog } from '#kafka';
import { TailFile } from './tail-file.js';
import type { TailWork } from './tail-job.js';
import { keyText, tailLine } from './tail-line.js';

export const TAIL_CALL_MS = 10_000;
/** A follower that died counts as in sync for up to 45 s (1.5 × `replica.lag.time.max.ms`). */
export const SETTLE_MS = 60_000;
const MAX_KEY_TEXT = 256;

export type TailSource = Readonly<{ hands: Pick<ClusterHands, 'offsets' | 'layout'>; log: RecordLog }>;

/** One file per question: another range must not overwrite what a person was pointed to. */
export const tailPath = (dataDir: string, group: string, what: string, body: TailCommand): string => {
  const id = crc32(JSON.stringify(body)).toString(16).padStart(8, '0');
  return join(dataDir, 'tails', encodeURIComponent(group), `${what}-${id}.ndjson`);
};

/** What retention took since the ranges were made is gone; asking for it would be an error of the whole range. */
export async function readableRanges(source: TailSource, ranges: readonly TailRange[]): Promise<readonly TailRange[]> {
  const topics = [...new Set(ranges.map((r) => r.topic))];
  if (topics.length === 0) return [];
  const starts = await source.hands.offsets(topics, 'start', TAIL_CALL_MS);
  const startOf = new Map(starts.map((s) => [`${s.partition}/${s.topic}`, s.offset]));
  return ranges.map((r) => ({ ...r, from: Math.max(r.from, startOf.get(`${r.partition}/${r.topic}`) ?? 0) }));
}

/** Topic → its id; one that the cluster does not tell is left out. */
export async function topicIdsOf(source: TailSource): Promise<ReadonlyMap<string, string>> {
  const { topics } = await source.hands.layout(TAIL_CALL_MS);
  return new Map([...topics.values()].flatMap((t) => (t.id === undefined ? [] : [[t.name, t.id] as const])));
}

/** Counts the tail and lists it: a line per record with key, headers and sizes. Values stay where they are. */
export function reportTailWork(
  source: TailSource,
  body: Extract<TailCommand, { kind: 'report_tail' }>,
  path: string,
): TailWork {
  const partitions: TailPartition[] = [];
  let now: TailPartition | null = null;
  let finished = false;
  const all = (): readonly TailPartition[] => (now === null ? partitions : [...partitions, now]);
  const sum = (of: (p: TailPartition) => number): number => all().reduce((n, p) => n + of(p), 0);
  return {
    progress: () => ({
      kind: 'tail_report',
      progress: { finished, done: sum((p) => p.records), total: spanOf(body.ranges) },
      records: sum((p) => p.records),
      bytes: sum((p) => p.bytes),
      partitions: finished ? partitions : [],
      path: finished ? path : '',
    }),
    run: async (signal) => {
      const file = await TailFile.begin(path);
      try {
        for (const range of await readableRanges(source, body.ranges)) {
          now = { topic: range.topic, partition: range.partition, records: 0, bytes: 0, first: null, last: null };
          for await (const slice of source.log.read(range, { callMs: TAIL_CALL_MS, signal })) {
            const at = { cluster: body.cluster, topic: range.topic, partition: range.partition };
            await file.write(slice.map((r) => tailLine(at, r, false)).join(''));
            now = counted(now, slice);
          }
          partitions.push(now);
          now = null;
        }
        await file.end();
        finished = true;
      } finally {
        if (!finished) file.abandon();
      }
    },
  };
}

export const spanOf = (ranges: readonly TailRange[]): number =>
  ranges.reduce((n, r) => n + Math.max(0, r.to - r.from), 0);

function counted(so: TailPartition, slice: readonly LogRecord[]): TailPartition {
  const [first, last] = [slice[0], slice.at(-1)];
  return {
    ...so,
    records: so.records + slice.length,
    bytes: so.bytes + slice.reduce((n, r) => n + sizeOf(r), 0),
    first: so.first ?? (first ? edgeOf(first) : null),
    last: last ? edgeOf(last) : so.last,
  };
}

/** Key, value and headers, as a consumer would get them. */
export const sizeOf = (r: Pick<LogRecord, 'key' | 'value' | 'headers'>): number =>
  r.headers.reduce(
    (n, [name, value]) => n + name.length + (value?.length ?? 0),
    (r.key?.length ?? 0) + (r.value?.length ?? 0),
  );

const edgeOf = (r: LogRecord): TailEdge => ({
  offset: r.offset,
  timestampMs: r.timestampMs,
  key: keyText(r.key)?.slice(0, MAX_KEY_TEXT) ?? null,
});
