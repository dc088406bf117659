/** What MirrorMaker itself keeps of a partition's syncs: 64 of them, exponentially apart. The peer. */

export type Sync = Readonly<{ up: number; down: number }>;
const SLOTS = 64;

export class Mm2SyncStore {
  #syncs: Sync[] | null = null;

  note(sync: Sync): void {
    const before = this.#syncs;
    if (before === null || (before[0]?.down ?? 0) > sync.down) {
      this.#syncs = Array.from({ length: SLOTS }, () => sync);
      return;
    }
    let replacement = sync;
    let old = before[0] ?? sync;
    before[0] = sync;
    for (let at = 1; at < SLOTS; at += 1) {
      const previous = before[at - 1] ?? sync;
      const next = before[at + 1];
      const recent = previous.up <= old.up + 2 ** at - 2 ** (at - 1);
      if (recent && apart(previous, old, at - 1) && (next === undefined || apart(old, next, at))) replacement = old;
      old = before[at] ?? sync;
      before[at] = replacement;
    }
  }

  /** Its rule: the newest kept U ≤ u; D if equal, else D+1. Null: all are newer, no checkpoint is written. */
  translate(upstream: number): number | null {
    const found = this.#syncs?.find((s) => s.up <= upstream);
    if (found === undefined) return null;
    return found.up === upstream ? found.down : found.down + 1;
  }
}

const apart = (newer: Sync, older: Sync, at: number): boolean => newer.up >= older.up + 2 ** Math.max(at - 2, 0);
