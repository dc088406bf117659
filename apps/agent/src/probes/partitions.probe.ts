import type { PartitionCounts } from '#health';
import type { ClusterLayout, ConfigTable } from '#kafka';

const UNKNOWN_MIN_ISR = 1; // before the first read of the topics' settings: counts too few, never too many

/** Counts from one Metadata answer. A partition without a leader is offline; min ISR beyond the replicas means all of them. */
export function countPartitions(
  layout: ClusterLayout,
  isHot: (topic: string) => boolean,
  configs: ConfigTable,
): { hotStandby: PartitionCounts; otherTopics: PartitionCounts } {
  const hot = { total: 0, offline: 0, underReplicated: 0, underMinIsr: 0 };
  const other = { total: 0, offline: 0, underReplicated: 0, underMinIsr: 0 };
  for (const topic of layout.topics.values()) {
    const counts = isHot(topic.name) ? hot : other;
    const minIsr = minIsrOf(configs, topic.name);
    for (const p of topic.partitions) {
      counts.total += 1;
      if (p.leader < 0) counts.offline += 1;
      if (p.isr.length < p.replicas.length) counts.underReplicated += 1;
      if (p.isr.length < Math.min(minIsr, p.replicas.length)) counts.underMinIsr += 1;
    }
  }
  return { hotStandby: hot, otherTopics: other };
}

export function minIsrOf(configs: ConfigTable, topic: string): number {
  const text = configs.get(topic)?.get('min.insync.replicas')?.value ?? null;
  const value = text === null ? Number.NaN : Number(text);
  return Number.isInteger(value) ? value : UNKNOWN_MIN_ISR;
}
