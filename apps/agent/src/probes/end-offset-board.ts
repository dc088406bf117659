import type { ClusterName } from '#health';
import { OffsetTable } from './offset-table.js';

/** What one cluster's probe lets the others see: a flow's lag needs the source's end offsets and topic names. */
export type BoardEntry = { readonly ends: OffsetTable; topics: readonly string[] | null };

/** Shared by the cluster probes of one agent. Plain memory; each probe writes only its own cluster's entry. */
export class EndOffsetBoard {
  readonly #entries = new Map<ClusterName, BoardEntry>();

  entry(cluster: ClusterName): BoardEntry {
    let entry = this.#entries.get(cluster);
    if (!entry) this.#entries.set(cluster, (entry = { ends: new OffsetTable(), topics: null }));
    return entry;
  }
}
