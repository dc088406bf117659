import type { Ms } from '#health';
import type { SilentGap } from '../matrix/facts.js';

/**
 * Finds what MirrorMaker goes over without a word. Its task reads on from its stored position; where that is gone (purged,
 * or a topic that was deleted and made anew) it begins at the earliest record there is, and says nothing. Only offsets show
 * it: the source's log begins behind what was copied, or the syncs jump or fall.
 *
 * A jump alone proves nothing (transaction markers and compaction jump too): it counts where the source's log begins behind
 * the jump's own beginning, so that what was jumped over is gone.
 */

/** A partition as both sides show it at one instant. */
export type GapLook = Readonly<{
  topicId: string | null; // of the source's topic; null: not known
  start: number; // first offset of the source
  copied: number | null; // first source offset that is not copied (N + 1); null: nothing ever was
  targetStart: number | null; // first offset of the copy; null: not known
}>;

/** `from`, `to`: source offsets, `to` exclusive. Plain JSON: kept on disk. */
export type FoundGap = Readonly<
  Pick<SilentGap, 'kind' | 'records' | 'downstream'> & { from: number; to: number; foundAtWallMs: Ms }
>;

type Pair = Readonly<{ upstream: number; downstream: number }>;
type Step = Readonly<{ from: number; to: number; missing: number; downstream: number }>;
type Before = Readonly<{ topicId: string | null; upstream: number | null }>;

const MAX_GAPS = 8; // of one partition; the oldest go

export class PartitionGapWatch {
  #found: readonly FoundGap[];
  #last: Pair | null = null;
  #jump: Step | null = null; // the largest since the last look
  #fall: Step | null = null; // the deepest since the last look
  #before: Before = { topicId: null, upstream: null };

  constructor(found: readonly FoundGap[] = []) {
    this.#found = found;
  }

  get found(): readonly FoundGap[] {
    return this.#found;
  }

  /** One more offset-sync, in the order of the syncs topic. */
  note(upstream: number, downstream: number): void {
    const last = this.#last;
    this.#last = { upstream, downstream };
    if (last === null || downstream <= last.downstream) return;
    const missing = upstream - last.upstream - (downstream - last.downstream);
    const step = { from: last.upstream + 1, to: upstream, missing, downstream };
    const renewed = this.#found.some((gap) => gap.kind === 'recreated' && gap.downstream === null);
    if (!renewed) this.#notice(step);
    this.#found = this.#found.map((gap) => (gap.downstream === null ? goesOn(gap, step) : gap));
  }

  #notice(step: Step): void {
    if (step.to < step.from) {
      if (this.#fall === null || step.to < this.#fall.to) this.#fall = step;
    } else if (step.missing > (this.#jump?.missing ?? 0)) this.#jump = step;
  }

  /** Syncs may have been missed, or the flow was seeded by us: nothing is concluded across. */
  split(): void {
    this.#last = null;
    this.#jump = null;
    this.#fall = null;
    this.#before = { topicId: null, upstream: null };
  }

  /** What was noted so far was not watched as it happened: it is where to go on from, and proves nothing. */
  settle(): void {
    this.#jump = null;
    this.#fall = null;
  }

  look(look: GapLook, nowWallMs: Ms): void {
    const { targetStart } = look;
    const [jump, fall, before] = [this.#jump, this.#fall, this.#before];
    this.#jump = null;
    this.#fall = null;
    this.#before = { topicId: look.topicId ?? before.topicId, upstream: this.#last?.upstream ?? before.upstream };
    // Nobody can read across it any more.
    this.#found = this.#found.filter(
      (g) => g.downstream === null || targetStart === null || targetStart <= g.downstream,
    );
    const renewed = before.topicId !== null && look.topicId !== null && look.topicId !== before.topicId;
    for (const rule of RULES) {
      const gap = rule({ look, jump, fall, before, renewed });
      if (gap !== null) this.#put({ ...gap, foundAtWallMs: nowWallMs });
    }
  }

  /** What is found again (more was purged meanwhile, or it was seen from its other end) is one gap. */
  #put(gap: FoundGap): void {
    const same = this.#found.find((g) => g.kind === gap.kind && g.from <= gap.to && gap.from <= g.to);
    if (same === undefined) {
      this.#found = [...this.#found, gap].slice(-MAX_GAPS);
      return;
    }
    const merged: FoundGap = {
      ...same,
      to: Math.max(same.to, gap.to),
      records: gap.downstream === null ? gap.records : (same.records ?? gap.records),
      downstream: same.downstream ?? gap.downstream,
    };
    this.#found = this.#found.map((g) => (g === same ? merged : g));
  }
}

type Seen = Readonly<{ look: GapLook; jump: Step | null; fall: Step | null; before: Before; renewed: boolean }>;
type Rule = (seen: Seen) => Omit<FoundGap, 'foundAtWallMs'> | null;

const RULES: readonly Rule[] = [
  /** The topic was made anew. Where the copy begins in the new log shows with its first sync. */
  ({ look, fall, before, renewed }) => {
    if (!renewed) return null;
    const from = look.start;
    if (fall === null)
      return { kind: 'recreated', from, to: (before.upstream ?? from) + 1, records: null, downstream: null };
    const records = Math.max(0, fall.to - from);
    return { kind: 'recreated', from, to: fall.to, records, downstream: fall.downstream };
  },
  /** The source's log begins behind what was copied. */
  ({ look, renewed }) => {
    if (renewed || look.copied === null || look.start <= look.copied) return null;
    const records = look.start - look.copied;
    return { kind: 'purged', from: look.copied, to: look.start, records, downstream: null };
  },
  /** The copy went on behind records that are gone. */
  ({ look, jump, renewed }) => {
    if (renewed || jump === null || look.start <= jump.from) return null;
    return { kind: 'purged', from: jump.from, to: jump.to, records: jump.missing, downstream: jump.downstream };
  },
  /** The copy began at the first record again, and nothing had happened to the topic. */
  ({ look, fall, renewed }) => {
    if (renewed || fall === null || fall.to > look.start) return null;
    return {
      kind: 'recopied',
      from: fall.to,
      to: fall.from,
      records: fall.from - fall.to,
      downstream: fall.downstream,
    };
  },
];

/** The first sync behind a gap says where the copy goes on, and, in a topic made anew, what of it was left out. */
function goesOn(gap: FoundGap, step: Step): FoundGap {
  if (gap.kind !== 'recreated') return step.to >= gap.to ? { ...gap, downstream: step.downstream } : gap;
  const fell = step.to < step.from;
  const records = Math.max(0, (fell ? step.to : gap.to) - gap.from);
  return { ...gap, to: fell ? step.to : gap.to, records, downstream: step.downstream };
}
