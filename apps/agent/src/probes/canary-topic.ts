import type { Ms } from '#health';
import { CANARY_TOPIC } from '#failover';
import type { ClusterHands, ClusterLayout, ConfigTable } from '#kafka';
import { minIsrOf } from './partitions.probe.js';

const RETENTION_MS = 600_000;
const DEFAULT_REPLICATION = 3;

export type Durability = Readonly<{ replicationFactor: number; minIsr: number }>;

/** The lowest replication factor and the highest min ISR of the hot-standby topics: the canary dies no later than they do. */
export function durabilityOf(
  layout: ClusterLayout,
  configs: ConfigTable,
  isHot: (topic: string) => boolean,
): Durability {
  const hot = [...layout.topics.values()].filter((t) => isHot(t.name) && t.partitions.length > 0);
  if (hot.length === 0) {
    const replicationFactor = Math.max(1, Math.min(DEFAULT_REPLICATION, layout.brokers.length));
    return { replicationFactor, minIsr: Math.max(1, replicationFactor - 1) };
  }
  const replicationFactor = Math.min(...hot.map((t) => t.partitions[0]?.replicas.length ?? 1));
  const minIsr = Math.max(...hot.map((t) => minIsrOf(configs, t.name)));
  return { replicationFactor, minIsr: Math.min(minIsr, replicationFactor) };
}

/** Partition i: broker i first, then its neighbours. */
export function spread(
  brokerIds: readonly number[],
  leaders: readonly number[],
  replicationFactor: number,
): number[][] {
  const ring = brokerIds.toSorted((x, y) => x - y);
  return leaders.map((leader) => {
    const at = ring.indexOf(leader);
    return Array.from(
      { length: Math.min(replicationFactor, ring.length) },
      (_, i) => ring[(at + i) % ring.length] ?? leader,
    );
  });
}

/** Makes the canary topic with a partition per broker, and one more when a broker joined. Only the cluster's own agent does. */
export async function ensureCanaryTopic(
  hands: ClusterHands,
  layout: ClusterLayout,
  durability: Durability,
  deadlineMs: Ms,
): Promise<'present' | 'made'> {
  const brokers = layout.brokers.map((b) => b.id);
  if (brokers.length === 0) return 'present';
  const existing = layout.topics.get(CANARY_TOPIC);
  if (!existing) {
    const made = await hands.createTopic(
      {
        name: CANARY_TOPIC,
        assignment: spread(
          brokers,
          brokers.toSorted((x, y) => x - y),
          durability.replicationFactor,
        ),
        configs: {
          'min.insync.replicas': String(durability.minIsr),
          'retention.ms': String(RETENTION_MS),
          'segment.ms': String(RETENTION_MS / 2),
          'cleanup.policy': 'delete',
        },
      },
      deadlineMs,
    );
    return made ? 'made' : 'present';
  }
  const covered = new Set(existing.partitions.map((p) => p.replicas[0]));
  const missing = brokers.filter((id) => !covered.has(id));
  if (missing.length === 0) return 'present';
  const factor = existing.partitions[0]?.replicas.length ?? durability.replicationFactor;
  await hands.addPartitions(
    CANARY_TOPIC,
    spread(brokers, missing, factor),
    existing.partitions.length + missing.length,
    deadlineMs,
  );
  return 'made';
}
