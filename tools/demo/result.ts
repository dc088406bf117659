import type { Proof } from './proof.js';
import type { FailbackProof } from './way-back-proof.js';

/** The demo's JSON, the last line of stdout (docs: contracts). */
export type DemoResult = Readonly<{
  ok: boolean;
  windowMs: number;
  rto: Rto;
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
  tail: Tail;
  failback: Readonly<{
    ok: boolean;
    acknowledged: number;
    lost: number;
    skipped: number;
    duplicated: number;
    readAgain: number;
    durationMs: number | null; // opened → closed
    pausedMs: number | null; // of the producers
  }>;
  alerts: Readonly<{ received: number; signatureFailures: number }>;
  rssMb: Readonly<{ controllers: readonly number[]; agents: readonly number[] }>;
  leftovers: readonly string[];
  failures: readonly string[]; // why ok is false, in words
}>;

export type FalseAlarm = Readonly<{ name: string; moved: boolean; row: number | null }>;

export type Rto = Readonly<{ totalMs: number; detectMs: number; confirmMs: number; actMs: number; adoptMs: number }>;

export type Timeline = Readonly<{
  detectMs: number;
  confirmMs: number;
  actMs: number;
  publishedAtMs: number;
  windowMs: number;
  estimatedLoss: number | null;
}>;

/** Records that only the returned cluster holds: as an independent reader counts them, and as the tail report says. */
export type Tail = Readonly<{ records: number; reported: number }>;

export type Failback = FailbackProof & Readonly<{ outcome: string | null; durationMs: number | null }>;

type Parts = Readonly<{
  timeline: Timeline;
  proof: Proof;
  falseAlarms: readonly FalseAlarm[];
  tail: Tail;
  failback: Failback;
  alerts: DemoResult['alerts'];
  rssMb: DemoResult['rssMb'];
  leftovers: readonly string[];
}>;

const MACHINE_ALLOWANCE_MS = 10_000;
const IDS_SHOWN = 5;

/** The failover's time, split. Published and adopted instants are unix ms on this machine. */
export function rtoOf(timeline: Timeline, proof: Proof): Rto {
  const { detectMs, confirmMs, actMs } = timeline;
  const adopted =
    proof.firstAckMs === null || proof.firstConsumedMs === null
      ? null
      : Math.max(proof.firstAckMs, proof.firstConsumedMs);
  const adoptMs = adopted === null ? Number.NaN : Math.max(0, adopted - timeline.publishedAtMs);
  return { totalMs: detectMs + confirmMs + actMs + adoptMs, detectMs, confirmMs, actMs, adoptMs };
}

/** Puts the figures together and judges them. */
export function demoResult(parts: Parts): DemoResult {
  const { timeline, proof, falseAlarms, tail, failback, alerts, rssMb, leftovers } = parts;
  const rto = rtoOf(timeline, proof);
  const notHome = failbackFailures(failback);
  const failures = [
    ...failoverFailures(rto, timeline, proof),
    ...falseAlarms.filter((f) => f.moved).map((f) => `false alarm moved traffic: ${f.name}`),
    ...(tail.records === tail.reported
      ? []
      : [`the tail report says ${tail.reported} records, an independent reader counts ${tail.records}`]),
    ...notHome,
    ...(alerts.signatureFailures === 0 ? [] : [`${alerts.signatureFailures} alerts with a wrong signature`]),
    ...(alerts.received > 0 ? [] : ['no alert arrived']),
    ...(leftovers.length === 0 ? [] : [`left behind: ${leftovers.join(', ')}`]),
  ];
  const { acknowledged, replicatedBeforeKill, lost, lostReplicated, duplicated, outOfOrder } = proof;
  const { estimatedLoss, windowMs } = timeline;
  return {
    ok: failures.length === 0,
    windowMs,
    rto,
    orders: { acknowledged, replicatedBeforeKill, lost, lostReplicated, duplicated, outOfOrder, estimatedLoss },
    falseAlarms,
    tail,
    failback: {
      ok: notHome.length === 0,
      acknowledged: failback.acknowledged,
      lost: failback.lost.length,
      skipped: failback.skipped.length,
      duplicated: failback.duplicated,
      readAgain: failback.readAgain,
      durationMs: failback.durationMs,
      pausedMs: failback.pausedMs,
    },
    alerts,
    rssMb,
    leftovers,
    failures,
  };
}

function failoverFailures(rto: Rto, { windowMs, estimatedLoss }: Timeline, proof: Proof): readonly string[] {
  const lost = proof.lost.length;
  return [
    ...(proof.lostReplicated === 0
      ? []
      : [`${proof.lostReplicated} orders that were on b before the kill are not readable there`]),
    ...(rto.totalMs <= windowMs + MACHINE_ALLOWANCE_MS
      ? []
      : [`${rto.totalMs} ms in all, more than the window of ${windowMs} ms + ${MACHINE_ALLOWANCE_MS} ms`]),
    ...(estimatedLoss !== null && lost > estimatedLoss ? [`${lost} orders lost, estimate was ${estimatedLoss}`] : []),
    ...(estimatedLoss === null && lost > 0 ? [`${lost} orders lost without an estimate`] : []),
  ];
}

/** A planned way may lose and skip nothing, and double only what was sent again without an answer to the first attempt. */
function failbackFailures({ outcome, lost, skipped, duplicated, resent }: Failback): readonly string[] {
  return [
    ...(outcome === 'DONE' ? [] : [`the failback ended ${outcome ?? 'nowhere'}`]),
    ...(lost.length === 0 ? [] : [`the failback lost ${lost.length} orders: ${some(lost)}`]),
    ...(skipped.length === 0 ? [] : [`consumers skipped ${skipped.length} orders: ${some(skipped)}`]),
    ...(duplicated <= resent ? [] : [`the failback doubled ${duplicated} orders, ${resent} were sent again`]),
  ];
}

const some = (ids: readonly string[]): string =>
  `${ids.slice(0, IDS_SHOWN).join(' ')}${ids.length > IDS_SHOWN ? ' …' : ''}`;
