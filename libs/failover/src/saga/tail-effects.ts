import type { ClusterName, Ms } from '#health';
import type { TailRange } from '../rejoin/choices.js';
import type { ResolverStrategy } from '../rejoin/resolver.js';
import type { SeamFinding } from '../rejoin/seam.js';
import type { PartitionOffset, TopicPartition } from './positions.js';

/**
 * Commands about the tail of a returned cluster. They read and write logs of any size, so they go on in the agent after their
 * answer: the same body asked again joins the same work and gives how far it is, in the end its result.
 */
export type TailCommand =
  /** Whether `from`'s log still is what `to` was copied from. `records`: how many before S are compared. */
  | Readonly<{
      kind: 'prove_seam';
      from: ClusterName;
      to: ClusterName;
      positions: readonly SeamPosition[];
      records: number;
    }>
  | Readonly<{ kind: 'report_tail'; cluster: ClusterName; ranges: readonly TailRange[] }>
  /** `to`: the active cluster, of the quarantine topic {@link tailTopic}. */
  | Readonly<{
      kind: 'export_tail';
      from: ClusterName;
      to: ClusterName;
      ranges: readonly TailRange[];
      destination: 'file' | 'topic';
    }>
  /** `since`: S per partition: what `to` got of its own begins there. */
  | Readonly<{
      kind: 'replay_tail';
      from: ClusterName;
      to: ClusterName;
      ranges: readonly TailRange[];
      since: readonly PartitionOffset[];
      strategy: ResolverStrategy;
      priority: readonly ClusterName[];
    }>;

/** The cluster that its work writes to, as nothing else of its kind may meanwhile; null: to none. */
export const writtenBy = (body: TailCommand): ClusterName | null =>
  body.kind === 'replay_tail' || (body.kind === 'export_tail' && body.destination === 'topic') ? body.to : null;

/** `n` null: unknown. `end`: E_a, equal in two reads. */
export type SeamPosition = Readonly<TopicPartition & { s: number; n: number | null; end: number }>;

/** Partitions or records, as the command counts; `total` 0: not known. */
export type JobProgress = Readonly<{ finished: boolean; done: number; total: number }>;

/** `key`: text, or `base64:` and the bytes; null: none. */
export type TailEdge = Readonly<{ offset: number; timestampMs: Ms; key: string | null }>;
export type TailPartition = Readonly<
  TopicPartition & { records: number; bytes: number; first: TailEdge | null; last: TailEdge | null }
>;

export type TailOutput =
  | Readonly<{ kind: 'seam_proof'; progress: JobProgress; findings: readonly SeamFinding[] }>
  | Readonly<{
      kind: 'tail_report';
      progress: JobProgress;
      records: number;
      bytes: number;
      partitions: readonly TailPartition[];
      path: string; // of the listing, in the agent's data folder
    }>
  | Readonly<{
      kind: 'tail_export';
      progress: JobProgress;
      written: number;
      present: number; // found there from an earlier run
      place: string; // file or topic
    }>
  | Readonly<{
      kind: 'tail_replay';
      progress: JobProgress;
      written: number;
      merged: number;
      kept: number; // left out: the active cluster's record won
      present: number;
    }>;

/** Where an exported tail waits for a person, on the active cluster. */
export const tailTopic = (group: string): string => `pointsman-tail.${group}`;
/** Header of every record that was written for another one: `<cluster>/<topic>/<partition>/<offset>`. */
export const ORIGIN_HEADER = 'pointsman-origin';
/** Right behind it: the id of that topic, which tells offsets of a rebuilt cluster from those of its former life. */
export const ORIGIN_TOPIC_HEADER = 'pointsman-origin-topic-id';
