import type { Proof } from './proof.js';

/** The demo's JSON, the last line of stdout (docs: contracts). */
export type DemoResult = Readonly<{
  ok: boolean;
  windowMs: number;
  rto: Readonly<{ totalMs: number; detectMs: number; confirmMs: number; actMs: number; adoptMs: number }>;
  orders: Readonly<{
    acknowledged: number;
    replicatedBeforeKill: number;
    lost: readonly string[];
    lostReplicated: number;
    duplicated: number;
    outOfOrder: number;
    estimatedLoss: number | null;
  }>;
  falseAlarms: readonly FalseAlarm[];
  alerts: Readonly<{ received: number; signatureFailures: number }>;
  rssMb: Readonly<{ controllers: readonly number[]; agents: readonly number[] }>;
  leftovers: readonly string[];
  failures: readonly string[]; // why ok is false, in words
}>;

export type FalseAlarm = Readonly<{ name: string; moved: boolean; row: number | null }>;

export type Timeline = Readonly<{
  detectMs: number;
  confirmMs: number;
  actMs: number;
  publishedAtMs: number;
  windowMs: number;
  estimatedLoss: number | null;
}>;

const MACHINE_ALLOWANCE_MS = 10_000;

/** Puts the figures together and judges them. Published and adopted instants are unix ms on this machine. */
export function demoResult(
  parts: Readonly<{
    timeline: Timeline;
    proof: Proof;
    falseAlarms: readonly FalseAlarm[];
    alerts: DemoResult['alerts'];
    rssMb: DemoResult['rssMb'];
    leftovers: readonly string[];
  }>,
): DemoResult {
  const { timeline, proof, falseAlarms, alerts, rssMb, leftovers } = parts;
  const adopted =
    proof.firstAckMs === null || proof.firstConsumedMs === null
      ? null
      : Math.max(proof.firstAckMs, proof.firstConsumedMs);
  const adoptMs = adopted === null ? Number.NaN : Math.max(0, adopted - timeline.publishedAtMs);
  const { detectMs, confirmMs, actMs, windowMs, estimatedLoss } = timeline;
  const totalMs = detectMs + confirmMs + actMs + adoptMs;
  const failures = [
    ...(proof.lostReplicated === 0
      ? []
      : [`${proof.lostReplicated} orders that were on b before the kill are not readable there`]),
    ...falseAlarms.filter((f) => f.moved).map((f) => `false alarm moved traffic: ${f.name}`),
    ...(alerts.signatureFailures === 0 ? [] : [`${alerts.signatureFailures} alerts with a wrong signature`]),
    ...(alerts.received > 0 ? [] : ['no alert arrived']),
    ...(leftovers.length === 0 ? [] : [`left behind: ${leftovers.join(', ')}`]),
    ...(totalMs <= windowMs + MACHINE_ALLOWANCE_MS
      ? []
      : [`${totalMs} ms in all, more than the window of ${windowMs} ms + ${MACHINE_ALLOWANCE_MS} ms`]),
    ...(estimatedLoss === null || proof.lost.length <= estimatedLoss
      ? []
      : [`${proof.lost.length} orders lost, estimate was ${estimatedLoss}`]),
    ...(estimatedLoss === null && proof.lost.length > 0
      ? [`${proof.lost.length} orders lost without an estimate`]
      : []),
  ];
  return {
    ok: failures.length === 0,
    windowMs,
    rto: { totalMs, detectMs, confirmMs, actMs, adoptMs },
    orders: {
      acknowledged: proof.acknowledged,
      replicatedBeforeKill: proof.replicatedBeforeKill,
      lost: proof.lost,
      lostReplicated: proof.lostReplicated,
      duplicated: proof.duplicated,
      outOfOrder: proof.outOfOrder,
      estimatedLoss,
    },
    falseAlarms,
    alerts,
    rssMb,
    leftovers,
    failures,
  };
}
