import type { ClusterName, Ms } from '#health';
import type { SilentGap } from '#failover';
import { KnownTopics } from './known-topics.js';
import { OffsetTable } from './offset-table.js';

/** What one cluster's probe lets the others see: a flow's lag needs the source's end offsets and topic names. */
export type BoardEntry = {
  readonly ends: OffsetTable;
  readonly known: KnownTopics;
  topics: readonly string[] | null;
  /** What a consumer group had committed when it was last read; null: never read. */
  committed?: (group: string) => ReadonlyMap<string, SeenCommit> | null;
  /** Topics that its flows from a cluster have positions of; MirrorMaker keeps those of deleted ones for ever. */
  copiedFrom?: (source: ClusterName) => readonly string[];
};
/** `topic/partition` → what would be read next. */
export type SeenCommit = Readonly<{ offset: number; ageMs: Ms }>;

/** A flow by its clusters and its source connector. */
export type FlowName = Readonly<{ from: ClusterName; to: ClusterName; source: string }>;

/** Shared by the cluster probes of one agent. Plain memory; each probe writes only its own cluster's entry. */
export class EndOffsetBoard {
  readonly #entries = new Map<ClusterName, BoardEntry>();

  /** What the follower of a flow's offset-syncs found missing in its copy, or doubled. */
  silentGaps: (flow: FlowName) => readonly SilentGap[] = () => [];

  entry(cluster: ClusterName): BoardEntry {
    let entry = this.#entries.get(cluster);
    if (!entry)
      this.#entries.set(cluster, (entry = { ends: new OffsetTable(), known: new KnownTopics(), topics: null }));
    return entry;
  }

  /** Topics of a cluster that any of its flows has positions of. */
  copiedFrom(source: ClusterName): readonly string[] {
    return [...this.#entries.values()].flatMap((entry) => entry.copiedFrom?.(source) ?? []);
  }

  /** Of a cluster that may be gone by now. */
  committed(cluster: ClusterName, group: string): ReadonlyMap<string, SeenCommit> | null {
    return this.#entries.get(cluster)?.committed?.(group) ?? null;
  }
}
