import { type CanaryMemory, type HealthMemory, isDown } from './fold.js';
import { answeringBrokers, errorKindsOf } from './judge-sample.js';
import type { HealthSettings } from './settings.js';
import type { ClusterFields, ClusterName, ClusterReport, ClusterSample, DownKind, Ms, VoteMark } from './types.js';

const NO_FIELDS: ClusterFields = Object.freeze({
  expectedBrokers: 0,
  answeringBrokers: 0,
  activeBrokers: null,
  clusterId: null,
  quorumLeader: null,
  hotStandby: null,
  otherTopics: null,
  canarySampledBrokers: 0,
  canaryOkBrokers: 0,
  canaryLatencyMs: null,
  canarySuccessRatio: null,
  endOffsetsAdvancing: null,
  errorKinds: [],
});

function fieldsOf(sample: ClusterSample, canaries: readonly CanaryMemory[]): ClusterFields {
  const latencies = sample.canaries.flatMap((c) => (c.latencyMs === null ? [] : [c.latencyMs]));
  return {
    expectedBrokers: sample.expectedBrokers,
    answeringBrokers: answeringBrokers(sample),
    activeBrokers: sample.activeBrokers,
    clusterId: sample.clusterId,
    quorumLeader: sample.quorumLeader,
    hotStandby: sample.hotStandby,
    otherTopics: sample.otherTopics,
    canarySampledBrokers: sample.canaries.length,
    canaryOkBrokers: sample.canaries.filter((c) => c.ok).length,
    canaryLatencyMs: latencies.length === 0 ? null : Math.max(...latencies),
    canarySuccessRatio: canaries.length === 0 ? null : canaries.filter((c) => c.ok).length / canaries.length,
    endOffsetsAdvancing: sample.endOffsetsAdvanced,
    errorKinds: errorKindsOf(sample),
  };
}

/**
 * Gray: on at least half of the sampled brokers less than half of the canaries of the window succeeded.
 * A broker with fewer results than `failures` is not judged: one slow first canary is no grayness.
 */
function isGray(canaries: readonly CanaryMemory[], s: HealthSettings): boolean {
  const byBroker = new Map<number, { ok: number; all: number }>();
  for (const c of canaries) {
    const seen = byBroker.get(c.brokerId) ?? { ok: 0, all: 0 };
    byBroker.set(c.brokerId, { ok: seen.ok + (c.ok ? 1 : 0), all: seen.all + 1 });
  }
  let gray = 0;
  for (const b of byBroker.values()) if (b.all >= s.failures && b.ok * 2 < b.all) gray += 1;
  return byBroker.size > 0 && gray * 2 >= byBroker.size;
}

type State = Readonly<{ state: ClusterReport['state']; kind: DownKind | null; reasons: readonly string[] }>;

/** DOWN/UNREACHABLE only when the last n samples all were; a mixed run is the kind with the longer window. */
function failingState(m: HealthMemory, s: HealthSettings, reasons: readonly string[]): State {
  if (isDown(m, s)) {
    return { state: 'DOWN', kind: m.unreachableSamples >= s.failures ? 'UNREACHABLE' : 'NO_SERVICE', reasons };
  }
  const count = `${m.failedSamples} of ${s.failures} failed samples`;
  // Without an answered sample just before, "answers with faults" would be a claim without evidence.
  return { state: m.answeredBeforeRun ? 'DEGRADED' : 'ABSTAIN', kind: null, reasons: [...reasons, count] };
}

function stateOf(m: HealthMemory, s: HealthSettings, marks: readonly VoteMark[]): State {
  const j = m.judgement;
  if (j === null) return { state: 'ABSTAIN', kind: null, reasons: ['no sample yet'] };
  if (j.outcome === 'doubtful' || j.outcome === 'misconfigured') {
    return { state: 'ABSTAIN', kind: null, reasons: j.reasons };
  }
  if (m.failedSamples > 0) return failingState(m, s, j.reasons);
  const marked = marks.map((mark) => mark.toLowerCase().replace('_', ' '));
  const degraded = j.outcome === 'imperfect' || marks.length > 0;
  return { state: degraded ? 'DEGRADED' : 'UP', kind: null, reasons: [...j.reasons, ...marked] };
}

function marksOf(m: HealthMemory, s: HealthSettings): readonly VoteMark[] {
  const j = m.judgement;
  if (j === null || j.outcome === 'doubtful') return [];
  const answered = m.failedSamples === 0 && j.outcome !== 'misconfigured';
  const found: readonly (readonly [VoteMark, boolean])[] = [
    ['NO_QUORUM', j.noQuorum && answered],
    ['RECOVERING', m.recovering && answered],
    ['GRAY', answered && isGray(m.canaries, s)],
    ['MISCONFIGURED', j.outcome === 'misconfigured' || j.foreignErrors.length > 0 || j.quorumHidden],
  ];
  return found.flatMap(([mark, holds]) => (holds ? [mark] : []));
}

/**
 * What this agent says of the cluster at `now` (agent's monotonic clock). `failingForMs` and `refusedForMs` end at the
 * newest sample; a controller adds the vote's age. `lastAnsweredAgeMs` ends at `now`.
 */
export function assess(cluster: ClusterName, memory: HealthMemory, now: Ms, settings: HealthSettings): ClusterReport {
  const m = memory;
  const marks = marksOf(m, settings);
  const { state, kind, reasons } = stateOf(m, settings, marks);
  const at = m.sample?.takenAtMs ?? now;
  return {
    cluster,
    state,
    kind,
    everyBrokerRefused: kind === 'UNREACHABLE' && m.refusedSinceMs !== null,
    marks,
    reasons,
    sampleAgeMs: Math.max(0, now - at),
    failingForMs: m.failingSinceMs === null ? 0 : at - m.failingSinceMs,
    refusedForMs: m.refusedSinceMs === null ? 0 : at - m.refusedSinceMs,
    lastAnsweredAgeMs: m.lastAnsweredAtMs === null ? null : Math.max(0, now - m.lastAnsweredAtMs),
    fields: m.sample === null ? NO_FIELDS : fieldsOf(m.sample, m.canaries),
  };
}
