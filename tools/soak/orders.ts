import { waitFor } from '#lab';
import { prove } from '../demo/proof.js';
import type { Stage } from '../demo/stage.js';

export type OrderCounts = Readonly<{
  acknowledged: number;
  consumed: number;
  failed: number;
  lost: readonly string[]; // acknowledged, not on b in the end
  duplicated: number;
  outOfOrder: number;
}>;

/** MM2 has this long to copy what was acknowledged last. */
const COPY_MS = 120_000;

/** Stops the load, lets the replication finish, and accounts for every order with the independent reader of b. */
export async function countOrders(stage: Stage): Promise<OrderCounts> {
  await stage.load.stop();
  const events = stage.load.events();
  const acknowledged = events.filter((e) => e.kind === 'acknowledged').map((e) => e.id);
  const copied = (): true | undefined => {
    const seen = stage.reader.seen();
    return acknowledged.every((id) => seen.has(id)) ? true : undefined;
  };
  // What is not copied in time is counted as lost below, with its ids: that says more than the deadline's error.
  await waitFor('every acknowledged order is on b', copied, { timeoutMs: COPY_MS, pollMs: 1_000 }).catch(
    () => undefined,
  );
  const proof = prove(events, stage.reader.records, new Set(), 'b', Number.POSITIVE_INFINITY);
  return {
    acknowledged: proof.acknowledged,
    consumed: new Set(events.filter((e) => e.kind === 'consumed').map((e) => e.id)).size,
    failed: events.filter((e) => e.kind === 'failed').length,
    lost: proof.lost,
    duplicated: proof.duplicated,
    outOfOrder: proof.outOfOrder,
  };
}
