import { judgeSample, type SampleJudgement, type SampleOutcome } from './judge-sample.js';
import { type HealthSettings, maxGapMs } from './settings.js';
import type { ClusterSample, Ms } from './types.js';

export type CanaryMemory = Readonly<{ atMs: Ms; brokerId: number; ok: boolean }>;

/** What an agent remembers of one cluster between samples. Instants are on the agent's monotonic clock. */
export type HealthMemory = Readonly<{
  sample: ClusterSample | null; // the newest
  judgement: SampleJudgement | null; // of the newest
  failedSamples: number; // consecutive
  unreachableSamples: number; // consecutive, of kind unreachable
  failingSinceMs: Ms | null; // first failed sample of the run
  refusedSinceMs: Ms | null; // since when every broker has refused
  lastAnsweredAtMs: Ms | null; // last sample in which the cluster answered
  answeredBeforeRun: boolean; // the run of failed samples followed an answered one without a gap
  recovering: boolean; // was DOWN and has not earned UP yet
  cleanSamples: number; // consecutive ones that served in full, while recovering
  cleanSinceMs: Ms | null;
  canaries: readonly CanaryMemory[]; // of the last canaryWindowMs, oldest first
}>;

export const INITIAL_HEALTH_MEMORY: HealthMemory = Object.freeze({
  sample: null,
  judgement: null,
  failedSamples: 0,
  unreachableSamples: 0,
  failingSinceMs: null,
  refusedSinceMs: null,
  lastAnsweredAtMs: null,
  answeredBeforeRun: false,
  recovering: false,
  cleanSamples: 0,
  cleanSinceMs: null,
  canaries: [],
});

const FAILED: ReadonlySet<SampleOutcome> = new Set(['unreachable', 'no_service']);
const ANSWERED: ReadonlySet<SampleOutcome> = new Set(['clean', 'imperfect']);

const NO_RUN = {
  failedSamples: 0,
  unreachableSamples: 0,
  failingSinceMs: null,
  refusedSinceMs: null,
} as const satisfies Partial<HealthMemory>;

/** Is this memory DOWN: n consecutive failed samples? */
export const isDown = (m: HealthMemory, s: HealthSettings): boolean => m.failedSamples >= s.failures;

/** A gap hides what happened in it: neither a failure nor a success may be carried across. */
function forgetAcrossGap(m: HealthMemory, sample: ClusterSample, s: HealthSettings): HealthMemory {
  if (m.sample === null) return m;
  const gap = sample.takenAtMs - m.sample.takenAtMs;
  if (gap >= 0 && gap <= maxGapMs(s)) return m;
  return { ...m, ...NO_RUN, answeredBeforeRun: false, cleanSamples: 0, cleanSinceMs: null };
}

function foldCanaries(m: HealthMemory, sample: ClusterSample, s: HealthSettings): readonly CanaryMemory[] {
  const from = sample.takenAtMs - s.canaryWindowMs;
  const kept = m.canaries.filter((c) => c.atMs > from && c.atMs <= sample.takenAtMs);
  for (const c of sample.canaries) kept.push({ atMs: sample.takenAtMs, brokerId: c.brokerId, ok: c.ok });
  return kept;
}

function foldFailed(m: HealthMemory, j: SampleJudgement, atMs: Ms, s: HealthSettings): HealthMemory {
  const failed = {
    ...m,
    failedSamples: m.failedSamples + 1,
    unreachableSamples: j.outcome === 'unreachable' ? m.unreachableSamples + 1 : 0,
    failingSinceMs: m.failingSinceMs ?? atMs,
    refusedSinceMs: j.everyBrokerRefused ? (m.refusedSinceMs ?? atMs) : null,
    cleanSamples: 0,
    cleanSinceMs: null,
  };
  return { ...failed, recovering: m.recovering || isDown(failed, s) };
}

function foldAnswered(m: HealthMemory, j: SampleJudgement, atMs: Ms, s: HealthSettings): HealthMemory {
  const clean = j.serves;
  const cleanSamples = clean && m.recovering ? m.cleanSamples + 1 : 0;
  const cleanSinceMs = clean && m.recovering ? (m.cleanSinceMs ?? atMs) : null;
  const earned = cleanSinceMs !== null && cleanSamples >= s.recoverSamples && atMs - cleanSinceMs >= s.recoverForMs;
  return {
    ...m,
    ...NO_RUN,
    lastAnsweredAtMs: atMs,
    answeredBeforeRun: true,
    recovering: m.recovering && !earned,
    cleanSamples,
    cleanSinceMs,
  };
}

/**
 * Folds one sample into the memory of one cluster. Pure: the sample's own instant is the only clock.
 * A gap of more than 2·(p + t), a stalled loop or an abstention ends the run of failed samples, so that time nobody
 * watched never counts as failure.
 */
export function foldSample(memory: HealthMemory, sample: ClusterSample, settings: HealthSettings): HealthMemory {
  const j = judgeSample(sample);
  const m = {
    ...forgetAcrossGap(memory, sample, settings),
    sample,
    judgement: j,
    canaries: foldCanaries(memory, sample, settings),
  };
  if (FAILED.has(j.outcome)) return foldFailed(m, j, sample.takenAtMs, settings);
  if (ANSWERED.has(j.outcome)) return foldAnswered(m, j, sample.takenAtMs, settings);
  return { ...m, ...NO_RUN, answeredBeforeRun: false, cleanSamples: 0, cleanSinceMs: null };
}
