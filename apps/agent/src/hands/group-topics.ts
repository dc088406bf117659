import type { Ms } from '#health';
import { checkTopic, type ClusterGoal } from '#failover';
import { isInternalTopic, topicMatcher, type ClusterHands, type ClusterLayout, type TopicSpec } from '#kafka';
import { durabilityOf, spread } from '../probes/canary-topic.js';

/** One of the product's own one-partition topics, as durable as the topics that it stands for. */
export async function ensureGroupTopic(
  hands: Pick<ClusterHands, 'topicConfigs' | 'createTopic'>,
  layout: ClusterLayout,
  name: string,
  like: readonly string[],
  configs: TopicSpec['configs'],
  deadlineMs: Ms,
): Promise<void> {
  const brokers = layout.brokers.map((b) => b.id);
  const leader = [...brokers].sort((x, y) => x - y)[0];
  if (leader === undefined || layout.topics.has(name)) return;
  const wanted = new Set(like);
  const table = await hands.topicConfigs(like, ['min.insync.replicas'], deadlineMs);
  const { replicationFactor, minIsr } = durabilityOf(layout, table, (t) => wanted.has(t));
  await hands.createTopic(
    {
      name,
      assignment: spread(brokers, [leader], replicationFactor),
      configs: { 'min.insync.replicas': String(minIsr), ...configs },
    },
    deadlineMs,
  );
}

/** The group's topics that exist, its check topic included. */
export async function goalTopics(
  hands: Pick<ClusterHands, 'layout'>,
  goal: ClusterGoal,
  deadlineMs: Ms,
): Promise<Readonly<{ layout: ClusterLayout; topics: readonly string[] }>> {
  const layout = await hands.layout(deadlineMs);
  const check = checkTopic(goal.group);
  const matches = topicMatcher(goal.topics);
  const topics = [...layout.topics.keys()].filter((t) => t === check || (matches(t) && !isInternalTopic(t)));
  return { layout, topics };
}
