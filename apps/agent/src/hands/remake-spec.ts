import type { FormerTopic } from '#failover';
import type { ClusterHands, ConfigTable } from '#kafka';
import type { TimeLeft } from './offset-commands.js';

/** What a topic is to be on the other cluster. */
export type RemakeSpec = Readonly<{
  partitions: number;
  replicationFactor: number;
  configs: Readonly<Record<string, string>>;
}>;

/** They name brokers of the cluster that they were set on. */
const OF_ITS_BROKERS: ReadonlySet<string> = new Set([
  'leader.replication.throttled.replicas',
  'follower.replication.throttled.replicas',
]);

/**
 * As on the active cluster: partitions, what was set on the topic itself, and the replication factor as far as the brokers go.
 * @throws when the active cluster lacks one of them: nothing could fill it.
 */
export async function specsOf(
  { like, to }: Readonly<{ like: Pick<ClusterHands, 'layout' | 'topicConfigs'>; to: Pick<ClusterHands, 'layout'> }>,
  topics: readonly FormerTopic[],
  left: TimeLeft,
): Promise<ReadonlyMap<string, RemakeSpec>> {
  const names = topics.map((t) => t.topic);
  const [model, own, table] = await Promise.all([
    like.layout(left()),
    to.layout(left()),
    like.topicConfigs(names, null, left()),
  ]);
  return new Map(
    names.map((name) => {
      const there = model.topics.get(name);
      if (there === undefined || there.partitions.length === 0)
        throw new Error(`the active cluster has no ${name} any more`);
      const replicas = Math.min(...there.partitions.map((p) => p.replicas.length));
      const replicationFactor = Math.max(1, Math.min(replicas, own.brokers.length));
      return [name, { partitions: there.partitions.length, replicationFactor, configs: ownSettings(table, name) }];
    }),
  );
}

function ownSettings(table: ConfigTable, topic: string): Readonly<Record<string, string>> {
  const settings = table.get(topic);
  if (settings === undefined) throw new Error(`the settings of ${topic} on the active cluster could not be read`);
  return Object.fromEntries(
    [...settings].flatMap(([key, { value, set }]) =>
      set && value !== null && !OF_ITS_BROKERS.has(key) ? [[key, value]] : [],
    ),
  );
}
