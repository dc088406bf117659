import type { Ms } from '#health';
import type { FlowFacts, LagReading, Memory, Policy, Snapshot } from './facts.js';

/** How the lag stands against the budget. Record lag decides; seconds and heartbeat age only when it is unknown. */
export type LagJudgement = Readonly<{
  basis: 'records' | 'seconds' | 'heartbeat' | 'unknown';
  records: number | null;
  ms: Ms | null;
  ageMs: Ms | null; // of the lag in time: `ms`, else the age of the newest heartbeat
  over: boolean;
  text: string;
}>;

/** Readings kept at most, whatever the period. */
export const MAX_LAG_READINGS = 64;

/**
 * Readings this much older than the newest are forgotten: long enough to find out that a cluster is down and look back
 * at its lag as of then. Counted from the newest, so that a blind spell forgets nothing.
 */
const horizonMs = (policy: Policy, probe: Snapshot['probe']): Ms =>
  policy.lagMaxAgeMs + 6 * (probe.periodMs + probe.timeoutMs);

export const flowBetween = (snapshot: Snapshot, from: string, to: string): FlowFacts | null =>
  snapshot.flows.find((f) => f.from === from && f.to === to) ?? null;

const seconds = (ms: Ms): string => `${(ms / 1000).toFixed(1)} s`;

/** Judges a reading against the budget; null: there is none young enough. */
export function judgeLag(reading: LagReading | null, policy: Policy): LagJudgement {
  const { records: maxRecords, durationMs } = policy.maxRpo;
  const of = (basis: LagJudgement['basis'], over: boolean, text: string): LagJudgement => ({
    basis,
    records: reading?.records ?? null,
    ms: reading?.ms ?? null,
    ageMs: reading?.ms ?? reading?.heartbeatAgeMs ?? null,
    over,
    text,
  });
  if (reading === null) return of('unknown', false, 'no lag reading young enough');
  if (reading.records !== null) {
    return of('records', reading.records > maxRecords, `${reading.records} of ${maxRecords} records`);
  }
  if (reading.ms !== null)
    return of('seconds', reading.ms > durationMs, `${seconds(reading.ms)} of ${seconds(durationMs)}`);
  if (reading.heartbeatAgeMs !== null) {
    const text = `newest heartbeat ${seconds(reading.heartbeatAgeMs)} old, of ${seconds(durationMs)}`;
    return of('heartbeat', reading.heartbeatAgeMs > durationMs, text);
  }
  return of('unknown', false, 'records, seconds and heartbeats are all unknown');
}

const endSumOf = (flow: FlowFacts): number | null => {
  let sum = 0;
  for (const p of flow.perPartition) {
    if (p.sourceEnd === null) return null;
    sum += p.sourceEnd;
  }
  return flow.perPartition.length === 0 ? null : sum;
};

/** The flow's lag as a reading of this instant; null: nothing is known. */
export function readingOf(flow: FlowFacts | null, now: Ms): LagReading | null {
  if (flow === null || (flow.lagRecords === null && flow.lagMs === null && flow.heartbeatAgeMs === null)) return null;
  const { lagRecords: records, lagMs: ms, heartbeatAgeMs } = flow;
  return { atMs: now - (flow.observedAgeMs ?? 0), records, ms, heartbeatAgeMs, endSum: null };
}

const lower = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b));

type LagMemory = Pick<Memory, 'lagReadings' | 'peakRatePerMs'>;

/**
 * Adds the newest reading. One of the same instant replaces its predecessor with the lower lag (a later N); the ring is
 * bounded, and a reading per half period is enough.
 */
export function rememberLag(memory: LagMemory, flow: FlowFacts | null, s: Snapshot, policy: Policy): LagMemory {
  const { periodMs } = s.probe;
  const reading = readingOf(flow, s.now);
  if (reading === null || flow === null) return memory;
  const last = memory.lagReadings.at(-1);
  if (last !== undefined && reading.atMs - last.atMs < periodMs / 2) {
    const records = lower(last.records, reading.records);
    if (records === last.records || reading.atMs < last.atMs - periodMs / 2) return memory;
    return { ...memory, lagReadings: [...memory.lagReadings.slice(0, -1), { ...last, records }] };
  }
  const full: LagReading = { ...reading, endSum: endSumOf(flow) };
  const from = full.atMs - horizonMs(policy, s.probe);
  const kept = memory.lagReadings.slice(1 - MAX_LAG_READINGS).filter((r) => r.atMs >= from);
  const lagReadings = [...kept, full];
  if (last === undefined || last.endSum === null || full.endSum === null) return { ...memory, lagReadings };
  const rate = Math.max(0, full.endSum - last.endSum) / (full.atMs - last.atMs);
  return { lagReadings, peakRatePerMs: Math.max(memory.peakRatePerMs ?? 0, rate) };
}

/**
 * The lag as of t0: the newest reading taken at most `lagMaxAge` before t0, lowered by later progress of the copy.
 * What happens after t0 is the outage, not lag. A later reading may only lower it: E can grow after t0, N only grows.
 * `memory` already holds this tick's reading.
 */
export function lagAsOf(
  t0Ms: Ms,
  memory: Memory,
  current: LagReading | null,
  policy: Policy,
  slackMs: Ms,
): LagReading | null {
  const young = memory.lagReadings.filter((r) => r.atMs <= t0Ms && t0Ms - r.atMs <= policy.lagMaxAgeMs);
  // Record lag decides: a newer reading that only knows heartbeats does not hide an older one that knows records.
  let found = young.findLast((r) => r.records !== null) ?? young.findLast((r) => r.ms !== null) ?? young.at(-1) ?? null;
  const kept = memory.lagAtStart;
  if (found === null && kept !== null && Math.abs(kept.t0Ms - t0Ms) <= slackMs) found = kept.reading;
  if (found === null) return null;
  const records = found.records === null ? null : lower(found.records, current?.records ?? null);
  const earlier = kept !== null && kept.reading.atMs === found.atMs ? kept.reading.records : null;
  return { ...found, records: records === null ? null : lower(records, earlier) };
}
