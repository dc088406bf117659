import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
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
const FORWARD = [1_024, 16_384] as const;
/** The last look, at one partition at a time: half a million records at once are as many as an agent should ever hold. */
const WIDEST_FORWARD = 524_288;
/** A longer key is kept as its digest. */
const MAX_KEY_BYTES = 64;

/** `appendTime`: the broker's clock gave some of the timestamps. */
type Found = Readonly<{ records: readonly SeamRecord[]; from: number; appendTime: boolean }>;
type Logs = Readonly<{ source: RecordLog; copy: RecordLog }>;
type Look = Readonly<{ p: SeamPosition; starts: Starts; wanted: number; signal: AbortSignal }>;
type Starts = Readonly<{ source: number; copy: number }>;

/**
 * Reads both logs round the seam of each partition, a few partitions at a time, and lets {@link proveSeam} judge. Of what is read
 * only the identities are kept.
 */
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
      const logs = { source: from.log, copy: to.log };
      const queue = [...body.positions];
      const wide: Look[] = [];
      const worker = async (): Promise<void> => {
        for (let p = queue.shift(); p !== undefined; p = queue.shift()) {
          const starts = { source: source?.get(keyOf(p)) ?? 0, copy: copy?.get(keyOf(p)) ?? 0 };
          const look = { p, starts, wanted: body.records, signal };
          const finding = await nearFinding(logs, look);
          if (finding === null) wide.push(look);
          else findings.push(finding);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      for (const look of wide) findings.push(await wideFinding(logs, look));
    },
  };
}

async function startsOf({ hands }: TailSide, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  return new Map((await hands.offsets(topics, 'start', CALL_MS)).map((o) => [keyOf(o), o.offset]));
}

/** Null: not found so near, and the log goes on. */
async function nearFinding(logs: Logs, look: Look): Promise<SeamFinding | null> {
  const before = await copyBefore(logs.copy, look);
  for (const forward of FORWARD) {
    const { finding, complete } = await judged(logs.source, look, before, forward);
    if (finding.seam.verdict !== 'different' || complete) return finding;
  }
  return null;
}

async function wideFinding(logs: Logs, look: Look): Promise<SeamFinding> {
  const { finding, complete } = await judged(logs.source, look, await copyBefore(logs.copy, look), WIDEST_FORWARD);
  if (finding.seam.verdict !== 'different' || complete) return finding;
  const reason = `no seam within ${WIDEST_FORWARD} records of position ${look.p.n ?? '?'}`;
  return { ...finding, seam: { verdict: 'different', reason } };
}

const copyBefore = (copy: RecordLog, { p, starts, wanted, signal }: Look): Promise<Found> =>
  lastBefore(copy, p, starts.copy, p.s, wanted, signal);

async function judged(
  source: RecordLog,
  { p, starts, wanted, signal }: Look,
  before: Found,
  forward: number,
): Promise<Readonly<{ finding: SeamFinding; complete: boolean }>> {
  const at = { topic: p.topic, partition: p.partition };
  const around = await sourceAround(source, p, starts.source, wanted, forward, signal);
  const comparable = before.appendTime || around.appendTime ? withoutTime : (r: SeamRecord) => r;
  const seam = proveSeam({
    ...at,
    ...{ s: p.s, n: p.n },
    copy: { logStart: starts.copy, last: before.records.slice(-wanted).map(comparable) },
    source: { logStart: starts.source, end: p.end, records: around.records.map(comparable), from: around.from },
  });
  const ends = { s: p.s, end: p.end, sourceStart: starts.source, copyStart: starts.copy };
  return { finding: { ...at, ...ends, seam }, complete: around.complete };
}

const withoutTime = (r: SeamRecord): SeamRecord => ({ ...r, timestampMs: 0 });

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
    return { ...(await collect(log, p, from, p.end, signal)), complete: from <= logStart };
  }
  const next = Math.min(p.n + 1, p.end);
  const before = await lastBefore(log, p, logStart, next, wanted * 2, signal);
  const to = Math.min(p.end, next + forward);
  const behind = await collect(log, p, Math.max(logStart, next), to, signal);
  const appendTime = before.appendTime || behind.appendTime;
  return { records: [...before.records, ...behind.records], from: before.from, appendTime, complete: to >= p.end };
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
    const found = await collect(log, at, from, before, signal);
    if (found.records.length >= wanted || from <= logStart || back >= WIDEST_LOOK) return found;
  }
}

async function collect(
  log: RecordLog,
  { topic, partition }: TopicPartition,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Found> {
  const records: SeamRecord[] = [];
  let appendTime = false;
  if (from >= to) return { records, from, appendTime };
  for await (const slice of log.read({ topic, partition, from, to }, { callMs: CALL_MS, signal })) {
    for (const record of slice) records.push(identityOf(record));
    appendTime ||= slice.some((r) => r.appendTime);
  }
  return { records, from, appendTime };
}

/**
 * Headers do not count: a Connect worker without `header.converter` set to the byte array converter writes them as base64 text.
 * Two values of the same bytes are the same, a tombstone is none of them. Holds on to none of the record's bytes.
 */
function identityOf(r: LogRecord): SeamRecord {
  const crc = r.value === null ? -1 : crc32(r.value);
  return { offset: r.offset, timestampMs: r.timestampMs, key: r.key === null ? null : shortKey(r.key), crc };
}

const shortKey = (key: Buffer): string =>
  key.length <= MAX_KEY_BYTES ? key.toString('latin1') : `sha256:${createHash('sha256').update(key).digest('base64')}`;

const keyOf = (p: TopicPartition): string => `${p.partition}/${p.topic}`;
const inOrder = (all: readonly SeamFinding[]): readonly SeamFinding[] =>
  all.toSorted((x, y) => (x.topic === y.topic ? x.partition - y.partition : x.topic < y.topic ? -1 : 1));
