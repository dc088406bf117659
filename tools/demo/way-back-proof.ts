import type { LoadEvent } from '../load/options.js';
import type { LogEnds } from './log-ends.js';
import type { LogRecord } from './proof.js';

/**
 * Records that only the returned cluster holds.
 * @param copiedUpTo where the survivor's log ended once copying had stopped and before anybody else wrote there: orders
 *   under way when the old cluster died were sent again with the same key and time, and are no copies
 */
export function tailOf(
  returned: readonly LogRecord[],
  survivor: readonly LogRecord[],
  copiedUpTo: LogEnds,
): readonly LogRecord[] {
  const name = (r: LogRecord): string => `${r.partition}/${r.timestamp}/${r.id}`;
  const copies = survivor.filter((r) => r.offset < (copiedUpTo.get(r.partition) ?? 0n));
  const copied = new Set(copies.map(name));
  return returned.filter((r) => !copied.has(name(r)));
}

export type FailbackProof = Readonly<{
  acknowledged: number; // orders, since the failover
  lost: readonly string[]; // of these: not on the home cluster
  skipped: readonly string[]; // of these: promised, and handed to no consumer on any cluster
  duplicated: number; // records beyond the first of an order, in what came home or was written there
  resent: number; // orders sent again in the failback, whose first attempt had no answer: these may be there twice
  readAgain: number; // deliveries beyond the first of an order
  pausedMs: number | null; // last acknowledgement by the other cluster → first by the home cluster
}>;

/**
 * Counts the way home: every order that was acknowledged under the failover's epoch or a later one.
 * @param home its log is `log`, read by an independent reader after the consumers had read everything
 * @param promised orders that consumers had the time to read; the others may still have been on their way when they ended
 * @param since the failover's epoch, and where the home log ended when its cluster had returned: what lies before was there already
 */
export function proveFailback(
  events: readonly LoadEvent[],
  log: readonly LogRecord[],
  home: string,
  since: Readonly<{ epoch: number; homeEnds: LogEnds }>,
  promised: ReadonlySet<string>,
): FailbackProof {
  const told = events.filter((e) => e.kind === 'acknowledged').filter((e) => e.epoch >= since.epoch);
  const ids = new Set(told.map((e) => e.id));
  const deliveries = events.filter((e) => e.kind === 'consumed').filter((e) => ids.has(e.id));
  const delivered = new Set(deliveries.map((e) => e.id));
  const came = log.filter((r) => r.offset >= (since.homeEnds.get(r.partition) ?? 0n));
  const present = new Set(came.map((r) => r.id));
  const atHome = told.filter((e) => e.cluster === home);
  const away = told.filter((e) => e.cluster !== home);
  return {
    acknowledged: ids.size,
    lost: [...ids].filter((id) => !present.has(id)).toSorted(),
    skipped: [...ids].filter((id) => promised.has(id) && !delivered.has(id)).toSorted(),
    duplicated: came.length - present.size,
    resent: atHome.filter((e) => e.resent).length,
    readAgain: deliveries.length - delivered.size,
    pausedMs:
      atHome.length === 0 || away.length === 0
        ? null
        : atHome.reduce((first, e) => Math.min(first, e.atMs), Number.POSITIVE_INFINITY) -
          away.reduce((last, e) => Math.max(last, e.atMs), Number.NEGATIVE_INFINITY),
  };
}
