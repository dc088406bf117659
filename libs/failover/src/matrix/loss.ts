import type { Ms } from '#health';
import { estimatedLossRecords } from '../estimate.js';
import type { Decision } from './facts.js';
import { flowBetween, type LagJudgement } from './lag.js';
import type { Row } from './row.js';
import type { Situation } from './situation.js';

/** How long a fence may still be unconfirmed after the decision: the saga's waiver time. */
export const FENCE_ALLOWANCE_MS: Ms = 5_000;

/**
 * known = E_a − (N+1) summed over partitions, as of t0; estimate = known + peak rate × (age of E_a + time until the
 * fence is confirmed). "At least" where the fence cannot be confirmed: an isolated S may go on taking writes.
 */
export function lossOf(s: Situation, row: Row, lag: LagJudgement): Decision['loss'] {
  const knownRecords = lag.records;
  const unconfirmed = row.window === 'isolated' && s.policy.fencing !== 'strict' && s.policy.producersInSourceIdc;
  const flow = s.target === null ? null : flowBetween(s.snapshot, s.source.name, s.target.name);
  const rate = s.memory.peakRatePerMs;
  if (knownRecords === null || rate === null || flow?.observedAgeMs == null) {
    return { knownRecords, estimatedRecords: null, atLeast: true };
  }
  const estimatedRecords = estimatedLossRecords({
    knownRecords,
    peakRecordsPerMs: rate,
    sourceEndAgeMs: flow.observedAgeMs,
    fenceConfirmedInMs: FENCE_ALLOWANCE_MS,
  });
  return { knownRecords, estimatedRecords, atLeast: unconfirmed };
}
