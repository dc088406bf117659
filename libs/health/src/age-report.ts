import { type HealthSettings, maxGapMs, staleAfterMs } from './settings.js';
import type { AgentId, ClusterReport, Ms, Vote, VoteState } from './types.js';

/** The vote of an agent that this process never heard about this cluster. */
export const neverHeard = (agent: AgentId): Vote => ({
  agent,
  state: 'STALE',
  kind: null,
  everyBrokerRefused: false,
  marks: [],
  reasons: ['never heard'],
  ageMs: null,
  failingForMs: 0,
  refusedForMs: 0,
  lastAnsweredAgeMs: null,
  fields: null,
});

/**
 * A report as a vote at this process's `now`. STALE when it was received more than 3p + t ago, or when its sample was
 * already too old when sent (an agent whose session lives while its probes hang). Silence is never DOWN.
 */
export function ageReport(
  agent: AgentId,
  report: ClusterReport | null,
  receivedAgeMs: Ms | null,
  settings: Pick<HealthSettings, 'periodMs' | 'timeoutMs'>,
): Vote {
  if (report === null || receivedAgeMs === null) return neverHeard(agent);
  const stale = receivedAgeMs > staleAfterMs(settings) || report.sampleAgeMs > maxGapMs(settings);
  const state: VoteState = stale ? 'STALE' : report.state;
  const down = state === 'DOWN';
  return {
    agent,
    state,
    kind: down ? report.kind : null,
    everyBrokerRefused: down && report.everyBrokerRefused,
    marks: stale ? [] : report.marks,
    reasons: stale ? [`silent for ${(receivedAgeMs / 1000).toFixed(1)} s, last said ${report.state}`] : report.reasons,
    ageMs: report.sampleAgeMs + receivedAgeMs,
    failingForMs: stale ? 0 : report.failingForMs,
    refusedForMs: stale ? 0 : report.refusedForMs,
    lastAnsweredAgeMs: report.lastAnsweredAgeMs === null ? null : report.lastAnsweredAgeMs + receivedAgeMs,
    fields: report.fields,
  };
}
