import { crc32 } from 'node:zlib';
import type { Ms } from '#health';
import {
  proveSeam,
  type SeamFinding,
  type SeamPosition,
  type SeamRecord,
  type TailCommand,
  type TopicPartition,
} from '#failover';
import type { ClusterHands, LogRecord, RecordLog } from '#kafka';
import type { TailWork } from './tail-job.js';

export type TailSide = Readonly<{ hands: Pick<ClusterHands, 'offsets'>; log: RecordLog }>;

const CALL_MS = 10_000;
const AT_ONCE = 8;
/** How far before a position is looked for the wanted number of records: gaps of compaction and markers are wider than none. */
const WIDEST_LOOK = 65_536;
/** How far behind N the copy may have come: what Connect stores is as old as its flush interval. */
const FORWARD = [1_024, 16_384, 524_288] as const;

type Found = Readonly<{ records: readonly LogRecord[]; from: number }>;

/** Reads both logs round the seam of each partition, a few partitions at a time, and lets {@link proveSeam} judge. */
export function proveSeamWork(
  from: TailSide,
  to: TailSide,
  body: Extract<TailCommand, { kind: 'prove_seam' }>,
): TailWork {
  const findings: SeamFinding[] = [];
  const total = body.positions.length;
  return {
    progress: () => ({
      kind: 'seam_proof',
      progress: { finished: findings.length === total, done: findings.length, total },
      findings: findings.length === total ? inOrder(findings) : [],
    }),
    run: async (signal) => {
      const topics = [...new Set(body.positions.map((p) => p.topic))];
      if (topics.length === 0) return;
      const [source, copy] = await Promise.all([from, to].map((side) => startsOf(side, topics)));
      const queue = [...body.positions];
      const worker = async (): Promise<void> => {
        for (let p = queue.shift(); p !== undefined; p = queue.shift()) {
          const starts = { source: source?.get(keyOf(p)) ?? 0, copy: copy?.get(keyOf(p)) ?? 0 };
          findings.push(await findingOf(from.log, to.log, p, starts, body.records, signal));
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    },
  };
}

async function startsOf({ hands }: TailSide, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  return new Map((await hands.offsets(topics, 'start', CALL_MS)).map((o) => [keyOf(o), o.offset]));
}

async function findingOf(
  source: RecordLog,
  copy: RecordLog,
  p: SeamPosition,
  starts: Readonly<{ source: number; copy: number }>,
  wanted: number,
  signal: AbortSignal,
): Promise<SeamFinding> {
  const at = { topic: p.topic, partition: p.partition };
  const before = await lastBefore(copy, at, starts.copy, p.s, wanted, signal);
  const base = { ...at, s: p.s, end: p.end, sourceStart: starts.source, copyStart: starts.copy };
  for (const forward of FORWARD) {
    const around = await sourceAround(source, p, starts.source, wanted, forward, signal);
    const ignoreTime = [...before.records, ...around.records].some((r) => r.appendTime);
    const compact = (r: LogRecord): SeamRecord => identityOf(r, ignoreTime);
    const seam = proveSeam({
      ...at,
      s: p.s,
      n: p.n,
      copy: { logStart: starts.copy, last: before.records.slice(-wanted).map(compact) },
      source: { logStart: starts.source, end: p.end, records: around.records.map(compact), from: around.from },
    });
    if (seam.verdict !== 'different' || around.complete) return { ...base, seam };
  }
  return {
    ...base,
    seam: { verdict: 'different', reason: `no seam within ${FORWARD[2]} records of position ${p.n ?? '?'}` },
  };
}

/** Of a: the wanted records up to N and `forward` offsets behind it; without N, the last `forward` offsets. */
async function sourceAround(
  log: RecordLog,
  p: SeamPosition,
  logStart: number,
  wanted: number,
  forward: number,
  signal: AbortSignal,
): Promise<Found & Readonly<{ complete: boolean }>> {
  if (p.n === null) {
    const from = Math.max(logStart, p.end - forward);
    return { records: await collect(log, p, from, p.end, signal), from, complete: from <= logStart };
  }
  const next = Math.min(p.n + 1, p.end);
  const before = await lastBefore(log, p, logStart, next, wanted * 2, signal);
  const to = Math.min(p.end, next + forward);
  const behind = await collect(log, p, Math.max(logStart, next), to, signal);
  return { records: [...before.records, ...behind], from: before.from, complete: to >= p.end };
}

/** The last records before an offset: looks further back until there are enough, the log begins, or it is far enough. */
async function lastBefore(
  log: RecordLog,
  at: TopicPartition,
  logStart: number,
  before: number,
  wanted: number,
  signal: AbortSignal,
): Promise<Found> {
  for (let back = wanted; ; back *= 4) {
    const from = Math.max(logStart, before - back);
    const records = await collect(log, at, from, before, signal);
    if (records.length >= wanted || from <= logStart || back >= WIDEST_LOOK) return { records, from };
  }
}

async function collect(
  log: RecordLog,
  { topic, partition }: TopicPartition,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<readonly LogRecord[]> {
  const all: LogRecord[] = [];
  if (from >= to) return all;
  for await (const slice of log.read({ topic, partition, from, to }, { callMs: CALL_MS, signal })) all.push(...slice);
  return all;
}

/**
 * Headers do not count: a Connect worker without `header.converter` set to the byte array converter writes them as base64 text.
 * Two values of the same bytes are the same, a tombstone is none of them.
 */
function identityOf(r: LogRecord, ignoreTime: boolean): SeamRecord {
  const crc = r.value === null ? -1 : crc32(r.value);
  const timestampMs: Ms = ignoreTime ? 0 : r.timestampMs;
  return { offset: r.offset, timestampMs, key: r.key?.toString('latin1') ?? null, crc };
}

const keyOf = (p: TopicPartition): string => `${p.partition}/${p.topic}`;
const inOrder = (all: readonly SeamFinding[]): readonly SeamFinding[] =>
  all.toSorted((x, y) => (x.topic === y.topic ? x.partition - y.partition : x.topic < y.topic ? -1 : 1));
