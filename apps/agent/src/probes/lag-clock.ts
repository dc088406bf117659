import type { Ms } from '#health';

const MAX_MARKS = 12;

type Mark = Readonly<{ end: number; atMs: Ms }>;

/**
 * Seconds of lag of one partition from end offsets seen in passing: if everything up to `end` as it stood at `atMs` has
 * been copied, the copy is at most `now - atMs` behind. Needs no request and no timestamp of a record.
 * When marks run out, every second one is thinned: the age gets coarser, never too small.
 */
export class LagClock {
  #marks: Mark[] = [];
  #caughtUpAtMs: Ms | null = null;

  /** @returns milliseconds behind; null: no mark was ever reached. */
  note(end: number, replicated: number, nowMs: Ms): Ms | null {
    const newest = this.#marks.at(-1);
    if (newest && end < newest.end) this.#marks = []; // the source's log was cut or made anew
    if (!newest || end !== newest.end || this.#marks.length === 0) this.#push({ end, atMs: nowMs });
    else this.#marks[this.#marks.length - 1] = { end, atMs: nowMs }; // nothing new arrived: known complete up to now
    while (this.#marks[0] && this.#marks[0].end <= replicated) this.#caughtUpAtMs = this.#marks.shift()?.atMs ?? null;
    if (replicated >= end) {
      this.#caughtUpAtMs = nowMs;
      return 0;
    }
    return this.#caughtUpAtMs === null ? null : nowMs - this.#caughtUpAtMs;
  }

  #push(mark: Mark): void {
    this.#marks.push(mark);
    // Thin out older ones, but never the newest: dropping a mark can only make the lag look older.
    if (this.#marks.length > MAX_MARKS)
      this.#marks = this.#marks.filter((_, i) => i % 2 === 1 || i === this.#marks.length - 1);
  }
}
