import type { ClusterName } from '#health';
import type { TopicPartition } from './positions.js';

/** What controllers ask of agents about transactions on a cluster that is about to be closed. */

/**
 * One that has begun and not ended, with the partitions of the asked topics that it has written to. `startedAtMs`: unix ms by
 * its coordinator's clock; with the id it names the transaction, and it is compared with nothing else.
 */
export type OpenTransaction = Readonly<{
  transactionalId: string;
  state: 'ongoing' | 'ending';
  startedAtMs: number;
  partitions: readonly TopicPartition[];
}>;

export type TransactionCommand =
  | Readonly<{ kind: 'list_transactions'; cluster: ClusterName; topics: readonly string[] }>
  /** Ends their producers for good: an application goes on with a new one only. */
  | Readonly<{ kind: 'abort_transactions'; cluster: ClusterName; transactionalIds: readonly string[] }>;

export type TransactionOutput =
  | Readonly<{ kind: 'open_transactions'; open: readonly OpenTransaction[] }>
  | Readonly<{
      kind: 'aborted_transactions';
      aborted: readonly string[];
      refused: readonly Readonly<{ transactionalId: string; detail: string }>[];
    }>;

/** What becomes of a transaction that stays open on the source of a planned switch. */
export const TRANSACTION_ENDS = ['abort-switchover', 'abort-transactions'] as const;
export type TransactionEnd = (typeof TRANSACTION_ENDS)[number];

const nameOf = (t: OpenTransaction): string => `${t.transactionalId} ${t.startedAtMs}`;

/**
 * Those that the fence has to wait for. Where the fence lets markers pass (an ACL does) one that began after the first look
 * may be cut off by it: its producer is refused, aborts, and the copy goes on past the marker. A fence that refuses every
 * batch refuses markers too, and what is open under it hangs: there none may be open.
 */
export function inTheWay(
  open: readonly OpenTransaction[],
  atFirst: readonly OpenTransaction[],
  markersPass: boolean,
): readonly OpenTransaction[] {
  if (!markersPass) return open;
  const known = new Set(atFirst.map(nameOf));
  return open.filter((t) => known.has(nameOf(t)));
}
