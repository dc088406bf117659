import type { PauseRow } from '../../persistence/authority-store.port.js';
import { Problem } from '../http/problem.js';
import type { PauseBody } from './schemas.js';

/** The pause that a call asks for, of one group or of all: pausing again replaces owner, reason and expiry. */
export const pauseOf = ({ owner, reason, expiresIn }: PauseBody, nowMs: number): PauseRow => ({
  owner,
  reason,
  at: new Date(nowMs).toISOString(),
  expiresAt: new Date(nowMs + expiresIn).toISOString(),
});

/** The pause that a resume ends. Throws a {@link Problem} (409) in the given words when there is none, or none any more. */
export function pauseInForce(
  pause: PauseRow | null,
  nowMs: number,
  otherwise: Readonly<{ title: string; detail: string }>,
): PauseRow {
  if (pause !== null && Date.parse(pause.expiresAt) > nowMs) return pause;
  throw new Problem({ status: 409, code: 'not_paused', ...otherwise });
}
