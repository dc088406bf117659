import type { GroupRow } from '../../persistence/authority-store.port.js';
import { Problem } from '../http/problem.js';
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
  /** Throws a {@link Problem} (409) when the row does not allow it. */
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
    const { owner, reason } = body;
    const expiresAt = iso(nowMs + body.expiresIn);
    return {
      row: { ...row, pause: { owner, reason, at: iso(nowMs), expiresAt } },
      summary: `paused by ${owner} until ${expiresAt}`,
    };
  },
});

/** Ends a pause; live state is judged at once, with a fresh window. */
export const resume = (body: ResumeBody, nowMs: number): Act => ({
  name: 'resume',
  actor: actor(body.by),
  reason: body.reason,
  dryRun: body.dryRun,
  change: (row) => {
    if (!row.pause || Date.parse(row.pause.expiresAt) <= nowMs) {
      throw new Problem({
        status: 409,
        code: 'not_paused',
        title: `Group ${row.name} is not paused`,
        detail: 'There is nothing to resume.',
      });
    }
    return {
      row: { ...row, pause: null, unpausedAt: iso(nowMs) },
      summary: `resumed (was paused by ${row.pause.owner})`,
    };
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
