import type { Situation } from './situation.js';

/**
 * The seed documents' rules, verbatim, as pure functions over their own metrics: one reading of one cluster, no quorum,
 * no budget. `classic` rows ask them; the seeds' examples test them.
 */
export type ClassicMetrics = Readonly<{
  reachable?: boolean; // absent: true
  activeBrokers?: number; // absent: 0
  replicationLagSeconds?: number; // absent: 0
  offlinePartitions?: number; // absent: 0
}>;

export const CLASSIC_LAG_SECONDS = 300;
export const CLASSIC_HEALTHY_LAG_SECONDS = 60;
/** An unhealthy reading is confirmed when it still holds after this; the loop runs each 10 s. */
export const CLASSIC_CONFIRM_MS = 30_000;
/** The row whose condition is the loop's health check: the confirmation counts from when it began to hold. */
export const CLASSIC_UNHEALTHY_ROW = 1140;

export type ClassicRule = Readonly<{
  name: string;
  holds: (m: ClassicMetrics) => boolean;
  reason: (m: ClassicMetrics) => string;
}>;

export const CLASSIC_RULES = {
  unreachable: {
    name: 'unreachable',
    holds: (m) => !(m.reachable ?? true),
    reason: () => 'DC1 unreachable',
  },
  noBrokers: {
    name: 'no active brokers',
    holds: (m) => (m.activeBrokers ?? 0) === 0,
    reason: () => 'No active brokers in DC1',
  },
  lag: {
    name: 'replication lag above 300 s',
    holds: (m) => (m.replicationLagSeconds ?? 0) > CLASSIC_LAG_SECONDS,
    reason: (m) => `Replication lag: ${m.replicationLagSeconds ?? 0}s`,
  },
  offline: {
    name: 'offline partitions',
    holds: (m) => (m.offlinePartitions ?? 0) > 0,
    reason: (m) => `Offline partitions: ${m.offlinePartitions ?? 0}`,
  },
} as const satisfies Record<string, ClassicRule>;

export type ClassicEvaluation = Readonly<{
  failoverNeeded: boolean;
  reasons: readonly string[];
  recommendedAction: 'FAILOVER' | 'MONITOR';
}>;

/** `evaluate_failover_conditions` of the seed document. */
export function evaluateClassic(m: ClassicMetrics): ClassicEvaluation {
  const reasons = Object.values(CLASSIC_RULES).flatMap((r) => (r.holds(m) ? [r.reason(m)] : []));
  const failoverNeeded = reasons.length > 0;
  return { failoverNeeded, reasons, recommendedAction: failoverNeeded ? 'FAILOVER' : 'MONITOR' };
}

/** `check_dc_health` of the seed document: what its loop re-checks after 30 s. */
export const classicHealthy = (m: ClassicMetrics): boolean =>
  (m.reachable ?? true) &&
  (m.activeBrokers ?? 0) > 0 &&
  (m.offlinePartitions ?? 0) === 0 &&
  (m.replicationLagSeconds ?? 0) < CLASSIC_HEALTHY_LAG_SECONDS;

/** The seed's metrics as one fresh observer has them: the healthiest, since the seed knew of only one. */
export function classicMetrics(s: Situation): ClassicMetrics {
  const answering = s.fresh.filter((v) => v.state !== 'DOWN' || v.kind === 'NO_SERVICE');
  const fields = answering.flatMap((v) => (v.fields === null ? [] : [v.fields]));
  const offline = fields.map((f) => (f.hotStandby?.offline ?? 0) + (f.otherTopics?.offline ?? 0));
  return {
    reachable: answering.length > 0,
    activeBrokers: Math.max(0, ...fields.map((f) => f.activeBrokers ?? f.answeringBrokers)),
    replicationLagSeconds: (s.lagNow.ms ?? 0) / 1000,
    offlinePartitions: offline.length === 0 ? 0 : Math.min(...offline),
  };
}
