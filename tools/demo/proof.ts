import type { LoadEvent } from '../load/options.js';

/** One record of the surviving cluster's log. */
export type LogRecord = Readonly<{ id: string; partition: number; offset: bigint }>;

export type Proof = Readonly<{
  acknowledged: number;
  replicatedBeforeKill: number;
  lost: readonly string[]; // acknowledged, not on the survivor
  lostReplicated: number; // of those seen there before the kill: not readable there at the end
  duplicated: number; // records beyond the first of an id
  outOfOrder: number; // first copies of a producer's orders that stand behind a later one in their partition
  firstAckMs: number | null; // unix ms, first order acknowledged by the survivor
  firstConsumedMs: number | null;
}>;

/**
 * Counts what an independent reader found on the surviving cluster against what the applications were told.
 * @param seenBefore ids that the reader had seen on the survivor before the kill
 * @param killedAtMs unix ms: consumption on the survivor counts only after it
 */
export function prove(
  events: Iterable<LoadEvent>,
  log: readonly LogRecord[],
  seenBefore: ReadonlySet<string>,
  survivor: string,
  killedAtMs: number,
): Proof {
  const acknowledged = new Set<string>();
  let firstAckMs: number | null = null;
  let firstConsumedMs: number | null = null;
  for (const event of events) {
    if (event.kind === 'acknowledged') {
      acknowledged.add(event.id);
      if (event.cluster === survivor && event.atMs >= killedAtMs)
        firstAckMs = Math.min(firstAckMs ?? event.atMs, event.atMs);
    } else if (event.kind === 'consumed' && event.cluster === survivor && event.atMs >= killedAtMs) {
      firstConsumedMs = Math.min(firstConsumedMs ?? event.atMs, event.atMs);
    }
  }
  const { present, duplicated, outOfOrder } = readLog(log);
  return {
    acknowledged: acknowledged.size,
    replicatedBeforeKill: [...acknowledged].filter((id) => seenBefore.has(id)).length,
    lost: [...acknowledged].filter((id) => !present.has(id)).toSorted(),
    lostReplicated: [...seenBefore].filter((id) => !present.has(id)).length,
    duplicated,
    outOfOrder,
    firstAckMs,
    firstConsumedMs,
  };
}

function readLog(log: readonly LogRecord[]): { present: Set<string>; duplicated: number; outOfOrder: number } {
  const present = new Set<string>();
  const newest = new Map<string, number>(); // partition and producer → highest number so far
  let duplicated = 0;
  let outOfOrder = 0;
  const inOrder = log.toSorted((x, y) => x.partition - y.partition || (x.offset < y.offset ? -1 : 1));
  for (const { id, partition } of inOrder) {
    if (present.has(id)) {
      duplicated += 1;
      continue;
    }
    present.add(id);
    const [producer = '', number = ''] = id.split('-');
    const key = `${partition}/${producer}`;
    const order = Number(number);
    if (order < (newest.get(key) ?? -1)) outOfOrder += 1;
    else newest.set(key, order);
  }
  return { present, duplicated, outOfOrder };
}
