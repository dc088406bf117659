import type { ClusterName, Ms } from '#health';
import type { Confidence } from './translate.js';

/** Asked of the agent that keeps the history of the flow's syncs. Reads only. */
export type TranslateCommand = Readonly<{
  kind: 'translate_group_offsets';
  from: ClusterName;
  to: ClusterName;
  connectors: Readonly<{ source: string; checkpoint: string; heartbeat: string }>;
  naming: 'identity' | 'default';
  consumerGroups: readonly string[];
  topics: readonly string[]; // names or patterns on the source
  frozen: readonly FrozenPartition[]; // empty: the flow's end is not known to be final
}>;

/** `topic`: the target's name. `n`: last source offset copied, -1 for none. `s`: end of the target's log. */
export type FrozenPartition = Readonly<{ topic: string; partition: number; n: number; s: number }>;

export type TranslatedOutput = Readonly<{
  kind: 'translated_offsets';
  offsets: readonly TranslatedOffset[];
  topics: readonly TranslatedTopic[];
  syncs: SyncsFacts;
}>;

export type TranslatedOffset = Readonly<{
  group: string;
  topic: string; // on the target
  partition: number;
  upstream: number; // what the group would read next on the source
  upstreamBy: 'committed' | 'checkpoint';
  upstreamAgeMs: Ms | null; // since it was read
  offset: number | null; // null: nothing can tell
  confidence: Confidence;
  rereadAtMost: number | null; // null: nobody can tell
  checkpoint: Readonly<{ upstream: number; downstream: number }> | null; // MirrorMaker's own last word
}>;

export type TranslatedTopic = Readonly<{
  topic: string;
  sourceTopic: string;
  sourcePartitions: number | null; // null: not known
  targetPartitions: number; // 0: no such topic
}>;

/** `noted`: syncs that were read. `pairs`: those that say more than their neighbours, and are kept. */
export type SyncsFacts = Readonly<{ noted: number; pairs: number; readAgeMs: Ms | null; detail: string }>;
