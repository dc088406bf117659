import type { Ms } from '#health';

/**
 * Estimators of decisions 6. The first three are the seed documents' formulas with their units; each is shown beside
 * our own or a measured figure, because a formula about a network is not a measurement of one.
 */

export type SeedFailoverTime = Readonly<{
  detectionMs: Ms;
  decisionMs: Ms;
  executionMs: Ms;
  totalMs: Ms;
  totalMinutes: number;
}>;

/** interval × threshold + decision delay + propagation. */
export function seedFailoverTime(o: {
  readonly intervalMs: Ms;
  readonly threshold: number;
  readonly decisionDelayMs: Ms;
  readonly propagationMs: Ms;
}): SeedFailoverTime {
  const detectionMs = o.intervalMs * o.threshold;
  const totalMs = detectionMs + o.decisionDelayMs + o.propagationMs;
  return {
    detectionMs,
    decisionMs: o.decisionDelayMs,
    executionMs: o.propagationMs,
    totalMs,
    totalMinutes: totalMs / 60_000,
  };
}

export type FailoverTimeInput = Readonly<{
  periodMs: Ms; // p
  timeoutMs: Ms; // t
  windowMs: Ms; // W of the row that acts
  leaderDiedToo: Readonly<{ leaseMs: Ms; retryMs: Ms }> | null;
  tickMs: Ms;
  commitMs: Ms;
  fenceWaitMs: Ms;
  publishMs: Ms;
  clientSwitchMs: Ms;
}>;

/** max(p + t + W, lease + 1.2·retry [if the leader died too]) + tick + commit + fence wait + publish + client switch. */
export function failoverTimeMs(i: FailoverTimeInput): Ms {
  const detected = i.periodMs + i.timeoutMs + i.windowMs;
  const elected = i.leaderDiedToo === null ? 0 : i.leaderDiedToo.leaseMs + 1.2 * i.leaderDiedToo.retryMs;
  return Math.max(detected, elected) + i.tickMs + i.commitMs + i.fenceWaitMs + i.publishMs + i.clientSwitchMs;
}

/** rtt + batch·8 / (Mbps·10⁶)·1000: the floor of the replication latency, and so of RPO; never a measurement. */
export function replicationLatencyMs(o: {
  readonly rttMs: Ms;
  readonly batchBytes: number;
  readonly throughputMbps: number;
}): Ms {
  return o.rttMs + ((o.batchBytes * 8) / (o.throughputMbps * 1_000_000)) * 1_000;
}

/** Mbps·10⁶·(target − rtt)/8/1000 in whole bytes; 0 when the target is not above the round trip. */
export function batchBytesForLatency(o: {
  readonly targetMs: Ms;
  readonly rttMs: Ms;
  readonly throughputMbps: number;
}): number {
  const availableMs = o.targetMs - o.rttMs;
  return availableMs <= 0 ? 0 : Math.trunc((o.throughputMbps * 1_000_000 * availableMs) / 8 / 1_000);
}

export type PartitionEnd = Readonly<{ sourceEnd: number | null; replicated: number | null }>; // E_a and N + 1

/** known = Σ E_a − (N+1); null when any partition's end or position is unknown. Never negative: a copy may be ahead. */
export function knownLossRecords(partitions: readonly PartitionEnd[]): number | null {
  let known = 0;
  for (const p of partitions) {
    if (p.sourceEnd === null || p.replicated === null) return null;
    known += Math.max(0, p.sourceEnd - p.replicated);
  }
  return known;
}

/** known + peak rate × (age of E_a + time until the fence was confirmed), rounded up. */
export function estimatedLossRecords(o: {
  readonly knownRecords: number;
  readonly peakRecordsPerMs: number;
  readonly sourceEndAgeMs: Ms;
  readonly fenceConfirmedInMs: Ms;
}): number {
  return o.knownRecords + Math.ceil(o.peakRecordsPerMs * (o.sourceEndAgeMs + o.fenceConfirmedInMs));
}
