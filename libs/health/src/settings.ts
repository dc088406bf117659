import type { Ms, ProbeErrorKind } from './types.js';

/** How samples become votes. Equal for all clusters of one agent; the controller derives staleness from the same numbers. */
export type HealthSettings = Readonly<{
  periodMs: Ms; // p: between two probe rounds
  timeoutMs: Ms; // t: own deadline of every probe
  failures: number; // n: consecutive failed samples before DOWN
  recoverSamples: number; // clean samples after DOWN before UP
  recoverForMs: Ms; // and at least this long
  canaryWindowMs: Ms; // over which the canary's success ratio is taken
}>;

export const DEFAULT_HEALTH_SETTINGS: HealthSettings = Object.freeze({
  periodMs: 2_000,
  timeoutMs: 2_000,
  failures: 3,
  recoverSamples: 5,
  recoverForMs: 10_000,
  canaryWindowMs: 30_000,
});

/** The closed list: nothing else ever counts as down. DNS, TLS, authentication, authorisation and quota are absent on purpose. */
export const DOWN_ERROR_KINDS = [
  'refused',
  'reset',
  'no_route',
  'deadline',
] as const satisfies readonly ProbeErrorKind[];

/**
 * Broker answers that count as down for the canary only (metadata answers never): LEADER_NOT_AVAILABLE,
 * NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS, NOT_ENOUGH_REPLICAS_AFTER_APPEND.
 */
export const CANARY_DOWN_ERROR_CODES = [5, 6, 7, 19, 20] as const;

/** Two samples further apart than this prove nothing about the time between them (frozen process, suspended host). */
export const maxGapMs = (s: Pick<HealthSettings, 'periodMs' | 'timeoutMs'>): Ms => 2 * (s.periodMs + s.timeoutMs);

/** A report older than this is STALE; also how long some rows must hold before they alert (votes arrive up to p apart). */
export const staleAfterMs = (s: Pick<HealthSettings, 'periodMs' | 'timeoutMs'>): Ms => 3 * s.periodMs + s.timeoutMs;
