import type { ClusterName } from '#health';
import type { TopicPartition } from './positions.js';
import type { JobProgress } from './tail-effects.js';

/** Commands by which the topics of a returned cluster are made anew from the active one. */
export type RebuildCommand =
  /** `topics`: literal or trailing *; Kafka's and the product's own never match. Reads only. */
  | Readonly<{ kind: 'describe_topics'; cluster: ClusterName; topics: readonly string[] }>
  /**
   * Deletes each topic on `to` *by the id that it had*, and creates it with the partitions and settings of `like`; then removes
   * what consumer groups had committed on it. Nothing goes on behind the answer: the same body asked again does what is left,
   * and a topic of another id is never deleted while it holds a record.
   */
  | Readonly<{
      kind: 'remake_topics';
      like: ClusterName; // the active cluster
      to: ClusterName;
      topics: readonly FormerTopic[];
      consumerGroups: readonly string[];
    }>;

/** `id` null: it was not there. */
export type FormerTopic = Readonly<{ topic: string; id: string | null }>;
export type DescribedTopic = Readonly<{ topic: string; id: string; partitions: number }>;

export type RebuildOutput =
  | Readonly<{ kind: 'described_topics'; topics: readonly DescribedTopic[] }>
  | Readonly<{
      kind: 'topics_remade';
      progress: JobProgress; // topics
      /** What only a person can put right; while there is any the work is never finished. Bounded. */
      obstacles: readonly string[];
      /** Of those that are done: where the new logs stand, all at 0. */
      partitions: readonly TopicPartition[];
    }>;
