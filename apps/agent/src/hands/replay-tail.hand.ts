import {
  resolveConflict,
  type Contender,
  type Resolution,
  type ResolverOptions,
  type TailCommand,
  type TailRange,
} from '#failover';
import type { LogRecord, NewRecord } from '#kafka';
import type { TailTarget } from './export-tail.hand.js';
import { isWithin, originOf, withOrigin, type RangeOrigin } from './origin.js';
import { RecordWriter } from './record-writer.js';
import {
  readableRanges,
  SETTLE_MS,
  sizeOf,
  spanOf,
  TAIL_CALL_MS,
  topicIdsOf,
  type TailSource,
} from './report-tail.hand.js';
import type { TailWork } from './tail-job.js';
import { textOf } from './tail-line.js';

type ReplayTail = Extract<TailCommand, { kind: 'replay_tail' }>;
type Count = { written: number; merged: number; kept: number; present: number };
/** What the active cluster has got in one partition since the switch, as far as one part of the tail is concerned. */
type Since = Readonly<{ newest: Map<string, Contender>; replayed: ReadonlySet<number>; upTo: number }>;

/** The tail is taken in parts of this size; for each one the active cluster's new records are read once. */
const PART_BYTES = 32 * 1024 * 1024;
const PART_RECORDS = 100_000;

/**
 * Writes the tail to the active cluster, each record in conflict with a newer one of the same key through the resolver.
 * Re-runnable: every written record says where it came from, and what is there already is not written again.
 */
export function replayTailWork(
  source: TailSource,
  target: TailTarget,
  body: ReplayTail,
  loadCustom: () => Promise<ResolverOptions['custom']>,
): TailWork {
  const count: Count = { written: 0, merged: 0, kept: 0, present: 0 };
  let finished = false;
  return {
    progress: () => {
      const done = count.written + count.merged + count.kept + count.present;
      return { kind: 'tail_replay', progress: { finished, done, total: spanOf(body.ranges) }, ...count };
    },
    run: async (signal, mustBeAsked) => {
      const options: ResolverOptions = {
        priority: body.priority.length > 0 ? body.priority : [body.from],
        custom: body.strategy === 'custom' ? await loadCustom() : null,
      };
      const ids = await topicIdsOf(source);
      for (const range of await readableRanges(source, body.ranges)) {
        const of = { cluster: body.from, topicId: ids.get(range.topic) ?? null, range };
        for await (const part of partsOf(source, range, signal)) {
          const since = await readSince(target, body, of, part, signal);
          await replayPart({ target, body, of, options, count, mustBeAsked }, part, since);
        }
      }
      finished = true;
    },
  };
}

type Around = Readonly<{
  target: TailTarget;
  body: ReplayTail;
  of: RangeOrigin;
  options: ResolverOptions;
  count: Count;
  mustBeAsked: () => void;
}>;

async function replayPart(around: Around, part: readonly LogRecord[], since: Since): Promise<void> {
  const { target, body, count, mustBeAsked } = around;
  const { cluster, topicId, range } = around.of;
  const writer = new RecordWriter(target.log, range.topic, range.partition, mustBeAsked);
  for (const record of part) {
    if (record.offset <= since.upTo) {
      count[since.replayed.has(record.offset) ? 'present' : 'kept'] += 1;
      continue;
    }
    const decided = decide(around, record, since);
    if (decided === null) {
      count.kept += 1;
      continue;
    }
    const at = { cluster, topicId, topic: range.topic, partition: range.partition, offset: record.offset };
    await writer.add(withOrigin(at, decided.record));
    if (record.key !== null) since.newest.set(keyOf(record.key), contender(body.from, decided.record));
    count[decided.merged ? 'merged' : 'written'] += 1;
  }
  await writer.flush();
}

/** Null: the active cluster's record stays. */
function decide(
  { body, of: { range }, options }: Around,
  record: LogRecord,
  since: Since,
): Readonly<{ record: NewRecord; merged: boolean }> | null {
  const current = record.key === null ? undefined : since.newest.get(keyOf(record.key));
  if (record.key === null || current === undefined) return { record, merged: false };
  const conflict = {
    topic: range.topic,
    key: record.key.toString('utf8'),
    tail: contender(body.from, record),
    current,
  };
  const resolution: Resolution = resolveConflict(body.strategy, conflict, options);
  if (resolution.take === 'current') return null;
  if (resolution.take === 'tail') return { record, merged: false };
  const timestampMs = Math.max(record.timestampMs, current.timestampMs);
  return { record: { ...record, timestampMs, value: Buffer.from(resolution.text) }, merged: true };
}

async function* partsOf(
  source: TailSource,
  range: TailRange,
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[]> {
  let part: LogRecord[] = [];
  let bytes = 0;
  for await (const slice of source.log.read(range, { callMs: TAIL_CALL_MS, signal })) {
    part.push(...slice);
    bytes += slice.reduce((n, r) => n + sizeOf(r), 0);
    if (bytes < PART_BYTES && part.length < PART_RECORDS) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}

/** Only keys of this part are remembered: what the active cluster got since may be far larger than the tail. */
async function readSince(
  target: TailTarget,
  body: ReplayTail,
  of: RangeOrigin,
  part: readonly LogRecord[],
  signal: AbortSignal,
): Promise<Since> {
  const { topic, partition } = of.range;
  const isHere = (o: Readonly<{ topic: string; partition: number }>): boolean =>
    o.topic === topic && o.partition === partition;
  const keys = new Set(part.flatMap((r) => (r.key === null ? [] : [keyOf(r.key)])));
  const from = body.since.find(isHere)?.offset ?? 0;
  const patience = { callMs: TAIL_CALL_MS, waitMs: SETTLE_MS, signal };
  const to = await target.log.settledEnd({ topic, partition }, patience);
  const newest = new Map<string, Contender>();
  const replayed = new Set<number>();
  let upTo = -1;
  for await (const slice of target.log.read({ topic, partition, from, to }, { callMs: TAIL_CALL_MS, signal })) {
    for (const record of slice) {
      const origin = originOf(record);
      const isOurs = origin !== null && origin.cluster === body.from && isHere(origin);
      if (isOurs && isWithin(origin, of)) {
        replayed.add(origin.offset);
        upTo = Math.max(upTo, origin.offset);
      }
      const key = record.key === null ? null : keyOf(record.key);
      if (key !== null && keys.has(key)) newest.set(key, contender(isOurs ? body.from : body.to, record));
    }
  }
  return { newest, replayed, upTo };
}

const keyOf = (key: Buffer): string => key.toString('latin1');

const contender = (cluster: string, r: Pick<NewRecord, 'timestampMs' | 'value'>): Contender => ({
  cluster,
  timestampMs: r.timestampMs,
  tombstone: r.value === null,
  text: r.value === null ? null : textOf(r.value),
});
