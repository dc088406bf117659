import type { TopicSettings } from '#failover';
import type { ClusterLayout, ConfigTable } from '#kafka';

const MAX_TOPICS = 500; // a report stays small; what is wrong with the first ones is wrong with all, mostly

/** Kafka's largest long is a common way to say it too; no report can carry a number beyond JavaScript's safe ones. */
const UNLIMITED = -1;

/** The settings that must be alike on both sides, of the topics that the filter wants. */
export function topicSettings(
  layout: ClusterLayout,
  configs: ConfigTable,
  isWanted: (topic: string) => boolean,
): readonly TopicSettings[] {
  const wanted = [...layout.topics.values()].filter((t) => t.partitions.length > 0 && isWanted(t.name));
  return wanted
    .toSorted((x, y) => (x.name < y.name ? -1 : 1))
    .slice(0, MAX_TOPICS)
    .map(({ name, partitions }) => {
      const number = (key: string): number | null => {
        const text = configs.get(name)?.get(key)?.value ?? null;
        return text === null || !Number.isFinite(Number(text)) ? null : Number(text);
      };
      const limit = (key: string): number | null => {
        const value = number(key);
        return value === null || value <= Number.MAX_SAFE_INTEGER ? value : UNLIMITED;
      };
      return {
        topic: name,
        partitions: partitions.length,
        replicationFactor: Math.min(...partitions.map((p) => p.replicas.length)),
        minIsr: number('min.insync.replicas'),
        maxMessageBytes: number('max.message.bytes'),
        retentionMs: limit('retention.ms'),
        retentionBytes: limit('retention.bytes'),
      };
    });
}
