import type { Ms } from '#health';
import { KafkaCallError, type ClusterHands } from '#kafka';

/** What a consumer group would read next on the source, as it was last read. */
export type SeenCommit = Readonly<{ offset: number; ageMs: Ms }>;

/** Filled by the probes of each round: the last that this agent saw, whatever became of the cluster since. */
export interface CommittedBoard {
  committed(cluster: string, group: string): ReadonlyMap<string, SeenCommit> | null; // topic/partition → commit
}

const ASK_MS = 700; // of a failover’s time, when the source is silent

/** Of the cluster itself while it answers, else what was last seen of it. Key: group, then topic/partition. */
export async function readCommitted(
  cluster: string,
  groups: readonly string[],
  from: Readonly<{ hands: ClusterHands; board: CommittedBoard }>,
  leftMs: Ms,
): Promise<ReadonlyMap<string, ReadonlyMap<string, SeenCommit>>> {
  const found = new Map<string, ReadonlyMap<string, SeenCommit>>();
  for (const group of groups) {
    const seen = from.board.committed(cluster, group);
    if (seen !== null) found.set(group, seen);
  }
  try {
    const offsets = await from.hands.groupOffsets(groups, Math.min(ASK_MS, leftMs / 3));
    for (const group of groups) {
      const own = offsets.filter((o) => o.group === group);
      if (own.length === 0 && found.has(group)) continue; // a cluster that just came up may not have loaded its groups
      found.set(group, new Map(own.map((o) => [`${o.topic}/${o.partition}`, { offset: o.offset, ageMs: 0 }])));
    }
  } catch (error) {
    if (!(error instanceof KafkaCallError)) throw error; // silent or refusing: what was last seen stands
  }
  return found;
}
