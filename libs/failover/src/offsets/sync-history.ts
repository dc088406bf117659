import { NOWHERE, SyncList } from './sync-list.js';

/**
 * Everything that MirrorMaker said about one partition: source offset U of a copied record, and the offset D that the
 * target gave it. D only ever grows. U grows within a *generation* and falls back where one ends: a task that began again
 * from an older position copied records a second time.
 *
 * What makes an answer wrong is a *break*: between two syncs the target took more records than the source offsets between
 * them can explain. Records up to `bound` may then lie before the break only, and stay unread by whoever resumes after it,
 * until MirrorMaker has copied past `bound` again. So an answer never lies behind an open break that still matters.
 */

export type HistoryLimits = Readonly<{ maxPairs: number; maxGenerations: number }>;
export const DEFAULT_HISTORY_LIMITS: HistoryLimits = { maxPairs: 65_536, maxGenerations: 64 };

/** `dense`: so far nothing but copied records took offsets on the target, so pairs can be counted between. */
export type Generation = { list: SyncList; dense: boolean };
/** Whoever wants source offset ≤ `bound` must not resume after `downstream`. */
export type Break = Readonly<{ downstream: number; bound: number }>;
export type HistoryState = Readonly<{
  generations: readonly Generation[];
  breaks: readonly Break[];
  splitNext: boolean;
  renewNext: boolean;
}>;

const MAX_BREAKS = 64;
const THINNED_SHARE = 0.75; // the newest quarter stays whole: that is where groups stand

export class SyncHistory {
  #generations: Generation[];
  #breaks: Break[];
  #splitNext: boolean;
  #renewNext: boolean;
  #pairs = 0;
  #begun = 0;
  readonly #limits: HistoryLimits;

  constructor(limits: HistoryLimits = DEFAULT_HISTORY_LIMITS, state: HistoryState | null = null) {
    this.#limits = limits;
    this.#generations = [...(state?.generations ?? [])];
    this.#breaks = [...(state?.breaks ?? [])];
    this.#splitNext = state?.splitNext ?? false;
    this.#renewNext = state?.renewNext ?? false;
    this.#begun = this.#generations.length;
    this.#pairs = this.#generations.reduce((sum, g) => sum + g.list.length, 0);
  }

  /** Pairs held. Fewer than were noted: what lies on the line between its neighbours is not kept. */
  get size(): number {
    return this.#pairs;
  }

  get state(): HistoryState {
    return {
      generations: this.#generations,
      breaks: this.#breaks,
      splitNext: this.#splitNext,
      renewNext: this.#renewNext,
    };
  }

  /** Generations begun in this object's life, those that are gone too. */
  get begun(): number {
    return this.#begun;
  }

  note(upstream: number, downstream: number): void {
    const newest = this.#generations.at(-1);
    if (newest === undefined) {
      this.#begin(upstream, downstream);
      return;
    }
    const up = newest.list.upstream(newest.list.last);
    const down = newest.list.downstream(newest.list.last);
    if (downstream <= down) this.#backwards(upstream, downstream, newest);
    else this.#forwards(upstream, downstream, { generation: newest, up, down });
  }

  /**
   * The next sync begins a generation, whatever it says: in between the target was written by others (it was the active
   * cluster), or syncs were missed. Nothing is counted across.
   */
  split(): void {
    this.#splitNext = this.#generations.length > 0;
  }

  /** Distrusts counting in the newest generation: syncs of it may have been missed. */
  distrust(): void {
    const newest = this.#generations.at(-1);
    if (newest !== undefined) newest.dense = false;
  }

  /**
   * The source's topic was made anew since this history had begun `begunBefore` generations: what is older speaks of
   * records that no group can want any more. Where its first sync is still to come, it is told by its fall, or by
   * {@link settle}.
   */
  renewed(begunBefore: number): void {
    const since = Math.min(this.#begun - begunBefore, this.#generations.length);
    if (since <= 0) {
      this.#renewNext = this.#generations.length > 0;
      return;
    }
    this.#generations = this.#generations.slice(-since);
    const first = this.#generations[0]?.list;
    const from = first?.downstream(first.first) ?? 0;
    this.#breaks = this.#breaks.filter((b) => b.downstream >= from);
    this.#count();
  }

  /**
   * Everything that was written before the renewal was found has been noted. Whatever is left without a fall speaks of the
   * former life: its places are higher than any of the new one, and a group that took one would skip all in between.
   */
  settle(): void {
    if (this.#renewNext) this.forget();
  }

  /** The target's topic was made anew: what was known speaks of records that are gone. */
  forget(): void {
    this.#generations = [];
    this.#breaks = [];
    this.#splitNext = false;
    this.#renewNext = false;
    this.#pairs = 0;
  }

  /** Keeps at most `pairs`, now. */
  shrink(pairs: number): void {
    while (this.#pairs > pairs) {
      const before = this.#pairs;
      for (const generation of this.#generations) generation.list = generation.list.thinned(1);
      this.#count();
      if (this.#pairs === before) return; // two pairs a generation is as short as it gets
    }
  }

  /**
   * The last downstream offset after which a reader that wants `upstream` and all above it must not resume; Infinity: no
   * such limit. `reach`: a source offset up to which MirrorMaker is known to have copied, above the newest sync (N).
   */
  limitFor(upstream: number, reach = -1): number {
    let limit = Infinity;
    for (const b of this.#breaks) {
      if (b.bound >= upstream && b.bound > reach && b.downstream < limit) limit = b.downstream;
    }
    return limit;
  }

  #forwards(upstream: number, downstream: number, last: { generation: Generation; up: number; down: number }): void {
    const { generation, up, down } = last;
    const unexplained = downstream - down - (upstream - up);
    const bound = up + downstream - down - 1;
    if (upstream <= up && this.#renewNext) {
      this.forget();
      this.#begin(upstream, downstream);
    } else if (upstream <= up) {
      this.#break({ downstream: down, bound });
      this.#begin(upstream, downstream);
    } else if (this.#splitNext) {
      this.#begin(upstream, downstream);
    } else {
      if (unexplained > 0) {
        generation.dense = false;
        this.#break({ downstream: down, bound });
      }
      this.#append(generation, upstream, downstream);
    }
    if (this.#breaks.length > 0) this.#breaks = this.#breaks.filter((b) => b.bound > upstream);
  }

  /** A late word of a task that is gone says nothing new; one that our answer would run past proves another target log. */
  #backwards(upstream: number, downstream: number, newest: Generation): void {
    const { list } = newest;
    const known = downstream >= list.downstream(list.first) && upstream >= list.upstream(list.first);
    if (known && this.#agrees(list, upstream, downstream)) return;
    this.forget();
    this.#begin(upstream, downstream);
  }

  #agrees(list: SyncList, upstream: number, downstream: number): boolean {
    const at = list.floorDownstream(downstream);
    const next = list.next(at);
    const [up, down] = [list.upstream(at), list.downstream(at)];
    if (down === downstream) return up === upstream;
    if (up >= upstream) return false;
    return next === NOWHERE || list.downstream(next) - (list.upstream(next) - upstream) <= downstream;
  }

  #begin(upstream: number, downstream: number): void {
    this.#splitNext = false;
    this.#begun += 1;
    const generation: Generation = { list: new SyncList(), dense: true };
    this.#generations.push(generation);
    this.#append(generation, upstream, downstream);
    while (this.#generations.length > this.#limits.maxGenerations) {
      this.#generations.shift(); // an open break at its end still says that nothing may be answered beyond it
      this.#count();
    }
  }

  #append(generation: Generation, upstream: number, downstream: number): void {
    const { list, dense } = generation;
    if (dense && onLine(list, upstream - downstream)) {
      list.removeLast();
      this.#pairs -= 1;
    }
    list.append(upstream, downstream);
    this.#pairs += 1;
    if (this.#pairs > this.#limits.maxPairs) this.#thin();
  }

  #thin(): void {
    const newest = this.#generations.at(-1);
    for (const generation of this.#generations) {
      generation.list = generation.list.thinned(generation === newest ? THINNED_SHARE : 1);
    }
    this.#count();
  }

  #break(found: Break): void {
    this.#breaks.push(found);
    const [a, b] = this.#breaks;
    if (this.#breaks.length > MAX_BREAKS && a !== undefined && b !== undefined) {
      this.#breaks.splice(0, 2, {
        downstream: Math.min(a.downstream, b.downstream),
        bound: Math.max(a.bound, b.bound),
      });
    }
  }

  #count(): void {
    this.#pairs = this.#generations.reduce((sum, g) => sum + g.list.length, 0);
  }
}

/** Whether the last pair only repeats what the one before it and a new one with this delta say together. */
function onLine(list: SyncList, delta: number): boolean {
  const { last } = list;
  const before = list.previous(last);
  return (
    before !== NOWHERE &&
    list.upstream(last) - list.downstream(last) === delta &&
    list.upstream(before) - list.downstream(before) === delta
  );
}
