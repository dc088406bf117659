import type { LoadEvent } from '../load/options.js';

/** One record of the surviving cluster's log. */
export type LogRecord = Readonly<{ id: string; partition: number; offset: bigint; timestamp?: string }>;

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

/** One partition, as an independent counter finds it after a switch. */
export type PartitionProof = Readonly<{
  partition: number;
  records: number; // in the log
  acknowledged: number; // orders that applications were told are safe
  lost: readonly string[]; // acknowledged, not in the log
  duplicated: number; // records beyond the first of an order
  outOfOrder: number;
  skipped: readonly string[]; // in the log, handed to no consumer on any cluster
  consumedAgain: number; // deliveries beyond the first of an order
}>;

/**
 * Counts each partition by itself, so that a loss in one cannot hide behind a duplicate in another. An order whose
 * partition nobody told and that is in no log is counted under partition -1.
 * @param complete consumers had read to the end: only then does "never consumed" mean skipped
 */
export function provePartitions(
  events: Iterable<LoadEvent>,
  log: readonly LogRecord[],
  complete: boolean,
): PartitionProof[] {
  const place = new Map<string, number>();
  const acknowledged = new Set<string>();
  const deliveries = new Map<string, number>();
  for (const event of events) {
    if (event.kind === 'acknowledged') {
      acknowledged.add(event.id);
      place.set(event.id, event.partition ?? -1);
    } else if (event.kind === 'consumed') deliveries.set(event.id, (deliveries.get(event.id) ?? 0) + 1);
  }
  for (const { id, partition } of log) place.set(id, partition); // the log knows best
  const partitions = [...new Set([...place.values()])].toSorted((x, y) => x - y);
  return partitions.map((partition) => {
    const records = log.filter((r) => r.partition === partition);
    const { present, duplicated, outOfOrder } = readLog(records);
    const here = [...place].flatMap(([id, at]) => (at === partition ? [id] : []));
    const told = here.filter((id) => acknowledged.has(id));
    return {
      partition,
      records: records.length,
      acknowledged: told.length,
      lost: told.filter((id) => !present.has(id)).toSorted(),
      duplicated,
      outOfOrder,
      skipped: complete ? [...present].filter((id) => !deliveries.has(id)).toSorted() : [],
      consumedAgain: here.reduce((sum, id) => sum + Math.max(0, (deliveries.get(id) ?? 0) - 1), 0),
    };
  });
}

/** All partitions in one line each, and their sum, for a person. */
export function formatPartitionProof(proofs: readonly PartitionProof[]): string {
  const line = (name: string, p: Omit<PartitionProof, 'partition'>) =>
    `${name.padStart(9)} ${p.records} records, ${p.acknowledged} acknowledged, ${p.lost.length} lost, ` +
    `${p.skipped.length} skipped, ${p.duplicated} duplicated, ${p.outOfOrder} out of order, ${p.consumedAgain} read again`;
  return [...proofs.map((p) => line(String(p.partition), p)), line('all', sumOf(proofs))].join('\n');
}

export function sumOf(proofs: readonly PartitionProof[]): Omit<PartitionProof, 'partition'> {
  const count = (key: 'records' | 'acknowledged' | 'duplicated' | 'outOfOrder' | 'consumedAgain') =>
    proofs.reduce((sum, p) => sum + p[key], 0);
  return {
    records: count('records'),
    acknowledged: count('acknowledged'),
    lost: proofs.flatMap((p) => p.lost),
    duplicated: count('duplicated'),
    outOfOrder: count('outOfOrder'),
    skipped: proofs.flatMap((p) => p.skipped),
    consumedAgain: count('consumedAgain'),
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
