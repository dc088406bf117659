import type { GroupRow } from '../../persistence/authority-store.port.js';
import { pauseInForce, pauseOf } from './pausing.js';
import type { AcceptLossBody, AcknowledgeBody, PauseBody, ResumeBody } from './schemas.js';

export type ActName = 'acknowledge' | 'pause' | 'resume' | 'accept-loss' | 'mode' | 'reject';

/** What an operator's call does to a group: a pure change of its row, and words for the audit. */
export type Act = Readonly<{
  name: ActName;
  actor: string;
  reason: string;
  dryRun: boolean;
  /** What the audit keeps beside who, from where, before and after. */
  detail?: Readonly<Record<string, string>>;
  /** Throws a Problem (409) when the row does not allow it. */
  change: (row: GroupRow) => Readonly<{ row: GroupRow; summary: string }>;
}>;

export const iso = (ms: number): string => new Date(ms).toISOString();
export const actor = (name: string | undefined): string => `operator:${name ?? 'unnamed'}`;

/** Lifts COOLDOWN, FLAPPING, FROZEN and the retry stop after unpublished sagas: a person has looked. */
export const acknowledge = (body: AcknowledgeBody, nowMs: number): Act => ({
  name: 'acknowledge',
  actor: actor(body.by),
  reason: body.reason,
  dryRun: body.dryRun,
  ...(body.evidence === undefined ? {} : { detail: { evidence: body.evidence } }),
  change: (row) => ({
    row: { ...row, acknowledgedAt: iso(nowMs), frozen: null, lastUnpublishedClose: null },
    summary: row.frozen === null ? 'acknowledged' : `acknowledged; no longer frozen (${row.frozen})`,
  }),
});

/** Blocks automatic acts until it expires; pausing again replaces owner, reason and expiry. */
export const pause = (body: PauseBody, nowMs: number): Act => ({
  name: 'pause',
  actor: actor(body.by ?? body.owner),
  reason: body.reason,
  dryRun: body.dryRun,
  change: (row) => {
    const made = pauseOf(body, nowMs);
    return { row: { ...row, pause: made }, summary: `paused by ${made.owner} until ${made.expiresAt}` };
  },
});

/** Ends a pause; live state is judged at once, with a fresh window. */
export const resume = (body: ResumeBody, nowMs: number): Act => ({
  name: 'resume',
  actor: actor(body.by),
  reason: body.reason,
  dryRun: body.dryRun,
  change: (row) => {
    const refusal = { title: `Group ${row.name} is not paused`, detail: 'There is nothing to resume.' };
    const { owner } = pauseInForce(row.pause, nowMs, refusal);
    return { row: { ...row, pause: null, unpausedAt: iso(nowMs) }, summary: `resumed (was paused by ${owner})` };
  },
});

/** Lets a failover go on above the loss budget, up to a limit and for a while. */
export const acceptLoss = (body: AcceptLossBody, nowMs: number): Act => ({
  name: 'accept-loss',
  actor: actor(body.by),
  reason: body.reason,
  dryRun: body.dryRun,
  change: (row) => {
    const { by, reason } = body;
    const maxRecords = body.maxRecords ?? null;
    const maxMs = body.maxDuration ?? null;
    const expiresAt = iso(nowMs + body.expiresIn);
    const limits = [maxRecords === null ? '' : `${maxRecords} records`, maxMs === null ? '' : `${maxMs / 1000} s`];
    return {
      row: { ...row, lossAcceptance: { by, reason, maxRecords, maxMs, expiresAt } },
      summary: `loss of up to ${limits.filter(Boolean).join(' and ')} accepted by ${by} until ${expiresAt}`,
    };
  },
});
