/** What MirrorMaker itself keeps of a partition's syncs: one for each power of two that its offsets go through. The peer. */

export type Sync = Readonly<{ up: number; down: number }>;
const SLOTS = 64;

export class Mm2SyncStore {
  #syncs: Sync[] = [];

  note(sync: Sync): void {
    const newest = this.#syncs[0];
    if (newest === undefined || newest.up > sync.up) {
      this.#syncs = Array.from({ length: SLOTS }, () => sync);
      return;
    }
    this.#syncs[0] = sync;
    for (let slot = 1; slot < SLOTS; slot += 1) {
      const size = 2 ** slot;
      const held = this.#syncs[slot]?.up ?? 0;
      if (Math.floor(held / size) === Math.floor(sync.up / size)) return;
      this.#syncs[slot] = sync;
    }
  }

  /** Its rule: the newest kept U ≤ u; D if equal, else D+1. Null: all are newer, no checkpoint is written. */
  translate(upstream: number): number | null {
    const found = this.#syncs.find((s) => s.up <= upstream);
    if (found === undefined) return null;
    return found.up === upstream ? found.down : found.down + 1;
  }
}
