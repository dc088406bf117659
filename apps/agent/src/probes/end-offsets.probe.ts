import type { Ms } from '#health';
import type { OffsetList, PartitionSet } from '#kafka';
import type { OffsetTable } from './offset-table.js';

/** Notes end offsets of one round and says whether clients were seen to write since the round before. */
export class ProgressRound {
  #compared = 0;
  #advanced = false;

  take(table: OffsetTable, list: OffsetList, atMs: Ms, isHot: (topic: string) => boolean): void {
    for (const { topic, partition, offset } of list.offsets) {
      const before = table.set(topic, partition, offset, atMs);
      if (before === null || !isHot(topic)) continue;
      this.#compared += 1;
      if (offset > before) this.#advanced = true;
    }
  }

  /** Null: nothing could be compared. */
  get advanced(): boolean | null {
    return this.#compared === 0 ? null : this.#advanced;
  }
}

/** What the old plan asked of other leaders than the new layout names: asked again, once, in the same round. */
export function movedParts(
  asked: ReadonlyMap<number, PartitionSet>,
  wanted: ReadonlyMap<number, PartitionSet>,
): ReadonlyMap<number, PartitionSet> {
  const moved = new Map<number, Map<string, readonly number[]>>();
  for (const [leader, part] of wanted) {
    for (const [topic, partitions] of part) {
      const before = asked.get(leader)?.get(topic);
      const fresh = before === undefined ? partitions : except(partitions, before);
      if (fresh.length === 0) continue;
      let list = moved.get(leader);
      if (!list) moved.set(leader, (list = new Map()));
      list.set(topic, fresh);
    }
  }
  return moved;
}

function except(all: readonly number[], known: readonly number[]): readonly number[] {
  if (all.length === known.length && all.every((p, i) => p === known[i])) return [];
  const have = new Set(known);
  return all.filter((p) => !have.has(p));
}
