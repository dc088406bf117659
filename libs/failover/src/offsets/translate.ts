import type { Generation, SyncHistory } from './sync-history.js';
import { NOWHERE } from './sync-list.js';

/**
 * `EXACT`: not a record before it is read again. `SAFE`: nothing is skipped, at most `rereadAtMost` records are read again.
 * `TIMESTAMP`: only the record's time is known to match. `NONE`: nothing here can tell, a person (or earliest) decides.
 */
export type Confidence = 'EXACT' | 'SAFE' | 'TIMESTAMP' | 'NONE';

export type Translation =
  | Readonly<{ confidence: 'EXACT' | 'SAFE' | 'TIMESTAMP'; offset: number; rereadAtMost: number | null }> // null: not bounded by what is known
  | Readonly<{ confidence: 'NONE'; offset: null; rereadAtMost: null }>;

/**
 * The end of a flow that was stopped and read back: N, the last source offset copied, and S, the target's end at that
 * moment. Only a *final* pair may be given: a stale N would let a group skip what was copied after it was stored.
 */
export type FrozenEnd = Readonly<{ n: number; s: number }>;

/**
 * `countable`: false for a flow that runs exactly once, whose own markers take offsets on the target. A gap of the source
 * and such a marker may cancel out between two syncs: forwards that only makes the count of re-read records too small,
 * backwards it would lose one.
 */
export type ForwardSurroundings = Readonly<{
  frozen?: FrozenEnd | null;
  countable?: boolean;
  logStart?: number | null; // of the target's partition
  logEnd?: number | null;
  atTimestamp?: number | null; // the target's first offset with the source record's time, where it could be asked
}>;

const NONE: Translation = { confidence: 'NONE', offset: null, rereadAtMost: null };

/**
 * Where on the target a group resumes that would read source offset `upstream` next. Never behind a copied record that it
 * has not read (I34): with U ≤ u < U' the neighbouring syncs, the first such record lies after D, and at most U' − u
 * records lie between it and D'.
 */
export function translateForward(
  history: SyncHistory,
  upstream: number,
  around: ForwardSurroundings = {},
): Translation {
  const frozen = around.frozen ?? null;
  const limit = history.limitFor(upstream, frozen?.n ?? -1);
  const { generations } = history.state;
  for (let g = generations.length - 1; g >= 0; g -= 1) {
    const generation = generations[g];
    if (generation === undefined) continue;
    const { list } = generation;
    const floor = list.floorUpstream(upstream);
    const at = Math.min(floor, list.floorDownstream(limit));
    if (at === NOWHERE) continue;
    const newest = g === generations.length - 1;
    const found =
      at === floor
        ? between(generation, at, upstream, { ...around, frozen: newest && limit === Infinity ? frozen : null })
        : heldBack(list, at, floor, upstream);
    return bounded(found.offset, found.reread + repeatedAfter(generations, g, upstream), around);
  }
  return beforeAll(generations[0], limit, around);
}

function between(
  { list, dense }: Generation,
  at: number,
  upstream: number,
  { frozen = null, countable = true }: ForwardSurroundings,
): Readonly<{ offset: number; reread: number }> {
  const up = list.upstream(at);
  const down = list.downstream(at);
  if (up === upstream) return { offset: down, reread: 0 };
  const after = next(list, at, frozen, up, down);
  if (after !== null && upstream > after.up) return { offset: after.down + 1, reread: 0 }; // all that was copied lies before
  if (after === null || !dense || !countable) {
    return { offset: down + 1, reread: rereadBehind(up, down, upstream, after, dense) };
  }
  const offset = Math.max(down + 1, after.down - (after.up - upstream));
  return { offset, reread: Math.max(0, Math.min(down + (upstream - up), after.down) - offset) };
}

function rereadBehind(up: number, down: number, upstream: number, after: After | null, dense: boolean): number {
  const wanted = Math.max(0, upstream - up - 1);
  if (after === null) return wanted;
  const held = Math.max(0, after.down - down - 1);
  // Where a task ever began again some may lie there twice, and thinning may have taken the sync that would show it.
  return dense ? Math.min(wanted, held) : held;
}

/** An open break stands between: resume before it, and read everything from there on. */
function heldBack(list: Generation['list'], at: number, floor: number, upstream: number) {
  const down = list.downstream(at);
  return { offset: down + 1, reread: list.downstream(floor) - down + Math.max(0, upstream - list.upstream(floor)) };
}

type After = Readonly<{ up: number; down: number }>;

/** The next sync; behind the last one the frozen end, if MirrorMaker alone explains what the target took since. */
function next(list: Generation['list'], at: number, frozen: FrozenEnd | null, up: number, down: number): After | null {
  const position = list.next(at);
  if (position !== NOWHERE) return { up: list.upstream(position), down: list.downstream(position) };
  if (frozen === null || frozen.n < up || frozen.s - 1 < down || frozen.s - 1 - down > frozen.n - up) return null;
  return { up: frozen.n, down: frozen.s - 1 };
}

/**
 * Records below `upstream` that newer generations hold once more. Within a dense one each offset was copied once; in
 * another a task may have begun again unseen, so everything between its syncs counts.
 */
function repeatedAfter(generations: readonly Generation[], from: number, upstream: number): number {
  let repeated = 0;
  for (let g = from + 1; g < generations.length; g += 1) {
    const generation = generations[g];
    if (generation === undefined) continue;
    const { list, dense } = generation;
    const distinct = Math.max(0, upstream - list.upstream(list.first));
    repeated += dense || distinct === 0 ? distinct : heldBy(list, generations[g + 1], upstream);
  }
  return repeated;
}

function heldBy(list: Generation['list'], next: Generation | undefined, upstream: number): number {
  const first = list.downstream(list.first);
  if (next !== undefined) return next.list.downstream(next.list.first) - first;
  return list.downstream(list.last) - first + Math.max(0, upstream - list.upstream(list.last));
}

/** Older than every sync: where the first sync is the first record of the log, nothing lies before it. */
function beforeAll(oldest: Generation | undefined, limit: number, around: ForwardSurroundings): Translation {
  const first = oldest === undefined ? null : oldest.list.downstream(oldest.list.first);
  if (first !== null && first <= limit && first <= (around.logStart ?? 0)) return bounded(first, 0, around);
  const at = around.atTimestamp ?? null;
  return at === null ? NONE : { confidence: 'TIMESTAMP', offset: at, rereadAtMost: null };
}

/** Inside the log: what retention removed cannot be read again, and past the end nothing is. */
function bounded(offset: number, reread: number, { logStart, logEnd }: ForwardSurroundings): Translation {
  const start = Math.max(offset, logStart ?? offset);
  const end = logEnd ?? null;
  const inLog = end === null ? start : Math.min(start, end);
  const left = Math.max(0, reread - (start - offset));
  const rereadAtMost = end === null ? left : Math.min(left, end - inLog);
  return { confidence: rereadAtMost === 0 ? 'EXACT' : 'SAFE', offset: inLog, rereadAtMost };
}

export type ReverseSurroundings = Readonly<{
  frozen?: FrozenEnd | null;
  sourceEnd?: number | null;
  countable?: boolean;
}>;

/**
 * Where on the *source* a group resumes that would read target offset `downstream` next, for logs that the flow wrote
 * (o ≤ S). Between syncs each record of the target stands for at least one offset of the source, so U + (o − D) is never
 * behind it; exact where the next sync proves the same difference.
 */
export function translateReverse(
  history: SyncHistory,
  downstream: number,
  around: ReverseSurroundings = {},
): Translation {
  const frozen = around.frozen ?? null;
  if (frozen !== null && downstream > frozen.s) return NONE; // written by others: the other direction's syncs know
  const { generations } = history.state;
  for (let g = generations.length - 1; g >= 0; g -= 1) {
    const generation = generations[g];
    const at = generation?.list.floorDownstream(downstream) ?? NOWHERE;
    if (generation === undefined || at === NOWHERE) continue;
    const newest = g === generations.length - 1;
    const found = reversed(generation, at, downstream, newest ? around : { ...around, frozen: null });
    return bounded(found.offset, found.reread ?? Infinity, { logEnd: around.sourceEnd ?? null });
  }
  return NONE;
}

function reversed(
  { list, dense }: Generation,
  at: number,
  downstream: number,
  { frozen = null, countable = true }: ReverseSurroundings,
): Readonly<{ offset: number; reread: number | null }> {
  const up = list.upstream(at);
  const down = list.downstream(at);
  if (down === downstream) return { offset: up, reread: 0 };
  const after = next(list, at, frozen, up, down);
  if (after === null) return { offset: up + 1, reread: null };
  if (downstream > after.down) return { offset: after.up + 1, reread: 0 };
  const counted = dense && countable;
  const most = after.up - (counted ? after.down - downstream : 0);
  const offset = counted ? up + (downstream - down) : up + 1;
  return { offset, reread: Math.max(0, most - offset) };
}
