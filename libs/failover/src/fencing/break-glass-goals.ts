import type { ClusterName } from '#health';
import { checkTopic, type Goal, type WatchGroup } from '../saga/effects.js';

type Moved = Readonly<{ active: ClusterName; epoch: number; term: number }>;

/**
 * What must be true of a group that a person moved past every saga: exactly the cluster that the pointer names is open, and
 * nothing is copied until somebody has looked. The order is that of the failover: close, stop, open.
 */
export function breakGlassGoals(
  group: Pick<WatchGroup, 'name' | 'clusters' | 'topics' | 'flows'>,
  { active, epoch, term }: Moved,
): readonly Goal[] {
  const of = { group: group.name, epoch, term };
  const topics = [...group.topics, checkTopic(group.name)];
  return [
    ...group.clusters
      .filter((cluster) => cluster !== active)
      .map((cluster): Goal => ({ subject: 'cluster', ...of, cluster, state: 'fenced', topics })),
    // A dedicated MirrorMaker is nobody's to steer.
    ...group.flows
      .filter((flow) => flow.dedicated !== true)
      .map(({ from, to, connectors }): Goal => ({ subject: 'flow', ...of, from, to, state: 'stopped', connectors })),
    { subject: 'cluster', ...of, cluster: active, state: 'open', topics },
  ];
}
