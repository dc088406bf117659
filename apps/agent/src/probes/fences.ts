import type { ClusterName, Ms } from '#health';
import { checkTopic, type FenceFacts, type WatchGroup } from '#failover';
import { isInternalTopic, topicMatcher, type ConfigTable } from '#kafka';
import type { FenceObservation } from '../ports.js';

/** Fence 2: no authorizer needed; the leader rejects every batch, whatever its acks. */
export const FENCE_KEY = 'max.message.bytes';
export const FENCE_VALUE = '1';

/** Fence 2 as the topics' settings show it: all of a group's topics closed, none, or some. */
export function observeFences(
  cluster: ClusterName,
  groups: readonly WatchGroup[],
  configs: ConfigTable,
  ageMs: Ms | null,
): readonly FenceObservation[] {
  if (ageMs === null) return [];
  return groups.map((group) => ({ group: group.name, facts: fenceOf(cluster, group, configs, ageMs) }));
}

function fenceOf(cluster: ClusterName, group: WatchGroup, configs: ConfigTable, ageMs: Ms): FenceFacts {
  const matches = topicMatcher(group.topics);
  const isOfGroup = (t: string): boolean => t === checkTopic(group.name) || (matches(t) && !isInternalTopic(t));
  let closed = 0;
  let open = 0;
  for (const [topic, values] of configs) {
    if (!isOfGroup(topic)) continue;
    if (values.get(FENCE_KEY)?.value === FENCE_VALUE) closed += 1;
    else open += 1;
  }
  const state = closed + open === 0 ? 'unknown' : open === 0 ? 'fenced' : closed === 0 ? 'open' : 'partial';
  return { cluster, state, kind: closed > 0 ? 'topic-config' : null, epoch: null, ageMs };
}
