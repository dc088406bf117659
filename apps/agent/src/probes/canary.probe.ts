import type { CanaryProbe, Ms } from '#health';
import { CANARY_TOPIC } from '#failover';
import { monotonicMs, type ClusterEyes, type ClusterLayout } from '#kafka';

const MAX_SAMPLED_BROKERS = 24;
const FETCH_MAX_BYTES = 4096;
const FETCH_MAX_WAIT_MS = 100;
/** A record that was acknowledged but is not at its offset: no code of Kafka's, and no evidence of being down. */
const UNKNOWN_SERVER_ERROR = -1;

export type CanaryTarget = Readonly<{ brokerId: number; partition: number }>;

/** One partition per broker that leads one. A leaderless partition samples nobody: metadata convicts no one. */
export function canaryTargets(layout: ClusterLayout): readonly CanaryTarget[] {
  const byBroker = new Map<number, number>();
  for (const p of layout.topics.get(CANARY_TOPIC)?.partitions ?? []) {
    if (p.leader >= 0 && !byBroker.has(p.leader)) byBroker.set(p.leader, p.partition);
  }
  return [...byBroker]
    .map(([brokerId, partition]) => ({ brokerId, partition }))
    .sort((x, y) => x.brokerId - y.brokerId)
    .slice(0, MAX_SAMPLED_BROKERS);
}

/** Produce with acks=all and fetch the record back from its offset, without a group; one deadline over both. */
export async function probeCanary(
  eyes: ClusterEyes,
  address: string,
  target: CanaryTarget,
  nonce: string,
  deadlineMs: Ms,
): Promise<CanaryProbe> {
  const startedAtMs = monotonicMs();
  const { brokerId, partition } = target;
  const failed = (error: CanaryProbe['error'], errorCode: number | null): CanaryProbe => ({
    brokerId,
    ok: false,
    latencyMs: null,
    error,
    errorCode,
  });
  const value = Buffer.from(nonce);
  const produced = await eyes.produce(address, { topic: CANARY_TOPIC, partition, key: null, value }, deadlineMs);
  if (!produced.ok) return failed(produced.kind, produced.errorCode);
  const leftMs = deadlineMs - (monotonicMs() - startedAtMs);
  if (leftMs <= 0) return failed('deadline', null);
  const from = {
    topic: CANARY_TOPIC,
    partition,
    offset: produced.value,
    maxBytes: FETCH_MAX_BYTES,
    maxWaitMs: FETCH_MAX_WAIT_MS,
  };
  const fetched = await eyes.fetch(address, from, leftMs);
  if (!fetched.ok) return failed(fetched.kind, fetched.errorCode);
  const back = fetched.value.records.find((r) => r.offset === produced.value);
  if (!back?.value?.equals(value)) return failed('other', UNKNOWN_SERVER_ERROR);
  return { brokerId, ok: true, latencyMs: monotonicMs() - startedAtMs, error: null, errorCode: null };
}
