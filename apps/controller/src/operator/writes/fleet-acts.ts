import type { FleetRow } from '../../persistence/authority-store.port.js';
import { actor, iso } from './acts.js';
import { pauseInForce, pauseOf } from './pausing.js';
import type { PauseBody, ResumeBody } from './schemas.js';

/** What an operator's call does to all groups at once: a pure change of the fleet's row, and words for the audit. */
export type FleetAct = Readonly<{
  name: 'pause' | 'resume';
  actor: string;
  reason: string;
  dryRun: boolean;
  /** Throws a Problem (409) when the row does not allow it. */
  change: (row: FleetRow) => Readonly<{ row: FleetRow; summary: string }>;
}>;

/** Blocks automatic acts on every group until it expires; pausing again replaces owner, reason and expiry. */
export const pauseAll = (body: PauseBody, nowMs: number): FleetAct => ({
  name: 'pause',
  actor: actor(body.by ?? body.owner),
  reason: body.reason,
  dryRun: body.dryRun,
  change: (row) => {
    const made = pauseOf(body, nowMs);
    const summary = `everything is paused by ${made.owner} until ${made.expiresAt}`;
    return { row: { ...row, pause: made }, summary };
  },
});

/** Ends the pause of everything; live state is judged at once, with fresh windows. A group's own pause stays. */
export const resumeAll = (body: ResumeBody, nowMs: number): FleetAct => ({
  name: 'resume',
  actor: actor(body.by),
  reason: body.reason,
  dryRun: body.dryRun,
  change: (row) => {
    const { owner } = pauseInForce(row.pause, nowMs, {
      title: 'Not everything is paused',
      detail: 'There is nothing to resume for all groups; a group that is paused by itself is resumed by itself.',
    });
    return {
      row: { pause: null, unpausedAt: iso(nowMs) },
      summary: `resumed (everything was paused by ${owner})`,
    };
  },
});
