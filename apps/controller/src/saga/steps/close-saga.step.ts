import type { Json, SagaOutcome, SagaRecord } from '#failover';
import { rfc3339 } from '#platform';
import type { Alert, AuthorityTx, GroupRow } from '../../persistence/authority-store.port.js';
import { evidenceOf, textOf, valueOf } from '../saga-journal.js';

/** The numbers every saga records (design: sagas), from the journal alone, so that any later leader writes the same. */
export function sagaReport(saga: SagaRecord, outcome: SagaOutcome, reason: string, closedAtMs: number): Json {
  const opened = evidenceOf(saga, 'open');
  const timeline = valueOf(opened, 'timeline');
  const frozen = evidenceOf(saga, 'freeze-position');
  const fence = evidenceOf(saga, 'fence-source');
  const stopped = evidenceOf(saga, 'stop-replication');
  const publishedAt = textOf(evidenceOf(saga, 'publish'), 'publishedAt');
  const firstFailed = textOf(timeline, 'firstFailedSampleAt');
  const verdict = textOf(timeline, 'verdictAt');
  const windowEnd = textOf(timeline, 'windowEndedAt');
  const confirmed = valueOf(fence, 'confirmed') === true;
  const known = valueOf(frozen, 'knownLostRecords') ?? valueOf(valueOf(opened, 'loss'), 'knownRecords');
  return {
    summary: `${outcome}: ${reason}`,
    outcome,
    reason,
    incident: textOf(opened, 'incident'),
    timeline: {
      firstFailedSampleAt: firstFailed,
      verdictAt: verdict,
      windowEndedAt: windowEnd,
      openedAt: saga.openedAt,
      fenceConfirmedAt: confirmed ? doneAt(saga, 'fence-source') : null,
      replicationStoppedAt: valueOf(stopped, 'stopped') === true ? doneAt(saga, 'stop-replication') : null,
      publishedAt,
      closedAt: rfc3339(closedAtMs),
    },
    rto: {
      detectMs: between(firstFailed, verdict),
      confirmMs: between(verdict, windowEnd),
      actMs: between(windowEnd, publishedAt),
      adoptMs: null, // known to clients only
    },
    loss: {
      knownRecords: known,
      estimatedRecords: valueOf(valueOf(opened, 'loss'), 'estimatedRecords'),
      atLeast: !confirmed || valueOf(valueOf(opened, 'loss'), 'atLeast') === true,
    },
    duplicates: duplicatesBound(saga),
    fence: textOf(fence, 'kind'),
    pendingGoal: textOf(stopped, 'pending'), // of a Connect worker that was down
    votes: valueOf(opened, 'votes'),
    ...rejoinReport(saga),
    steps: stepDurations(saga),
  };
}

/** What consumers read twice, at most, by the places that were set; `unknown`: partitions of which nobody can tell. */
function duplicatesBound(saga: SagaRecord): Json {
  const groups = valueOf(evidenceOf(saga, 'set-offsets'), 'groups');
  if (!Array.isArray(groups)) return null; // no place was set
  const sum = (field: string): number => groups.reduce<number>((n, g: Json) => n + Number(valueOf(g, field) ?? 0), 0);
  return { atMost: sum('rereadAtMost'), unknown: sum('rereadUnknown') };
}

/** The count afterwards against the estimate (I35), and what became of the tail. */
function rejoinReport(saga: SagaRecord): { readonly [key: string]: Json } {
  if (saga.kind !== 'rejoin' && saga.kind !== 'rebuild') return {};
  const tail = evidenceOf(saga, 'report-tail');
  return {
    tail: { records: valueOf(tail, 'records'), loss: valueOf(tail, 'loss'), path: valueOf(tail, 'path') },
    ...(saga.kind === 'rejoin'
      ? { choice: evidenceOf(saga, 'carry-out-choice') }
      : { remade: evidenceOf(saga, 'remake-topics'), copy: evidenceOf(saga, 'follow-copy') }),
  };
}

const doneAt = (saga: SagaRecord, step: SagaRecord['journal'][number]['step']): string | null =>
  saga.journal.find((e) => e.step === step && e.direction === 'do' && e.event === 'done')?.at ?? null;

const between = (from: string | null, to: string | null): number | null =>
  from === null || to === null ? null : Math.max(0, Date.parse(to) - Date.parse(from));

/** Milliseconds from a step's last intent to its end, by the wall clock of the leader that ran it. */
function stepDurations(saga: SagaRecord): Json {
  return saga.journal
    .filter((e) => e.event !== 'intent')
    .map((end) => {
      const begun = saga.journal.findLast(
        (e) => e.event === 'intent' && e.step === end.step && e.direction === end.direction && e.seq < end.seq,
      );
      return { step: end.step, direction: end.direction, event: end.event, ms: between(begun?.at ?? null, end.at) };
    });
}

const ALERT_OF = {
  DONE: 'completed',
  DONE_WITH_DEBT: 'completed',
  RECOVERED: 'compensated',
  SOURCE_LOST: 'compensated',
  FAILED: 'compensated',
  ABORTED: 'compensated',
  NEEDS_OPERATOR: 'needs_operator',
  NOT_CONFIRMED: null,
} as const satisfies Record<SagaOutcome, Alert['type'] | null>;

export const closingAlert = (outcome: SagaOutcome): Alert['type'] | null => ALERT_OF[outcome];

export type Closing = Readonly<{ outcome: SagaOutcome; at: string; freeze: string | null; retryMemoryMs: number }>;

/** What the group remembers of the end: an unpublished close counts towards the bounded retries, an unknown one freezes. */
export async function settleGroup(tx: AuthorityTx, saga: SagaRecord, closing: Closing): Promise<void> {
  if (closing.outcome === 'DONE' || closing.outcome === 'DONE_WITH_DEBT') return; // publish settled it
  const row = await tx.group(saga.group);
  if (row === null) return;
  const frozen = closing.freeze === null ? row.frozen : `saga ${saga.id}: ${closing.freeze}`;
  // Only what the matrix began counts towards its retries: a person who aborts a switchover must not tie its hands.
  const uncounted = closing.outcome === 'NOT_CONFIRMED' || saga.trigger === 'operator';
  const counted = uncounted ? row.lastUnpublishedClose : nextAttempt(row, closing);
  await tx.saveGroup({ ...row, frozen, lastUnpublishedClose: counted });
}

/** Attempts count while they follow one another; an acknowledgement or a long calm starts them anew. */
function nextAttempt(row: GroupRow, closing: Closing): GroupRow['lastUnpublishedClose'] {
  const last = row.lastUnpublishedClose;
  const recent = last !== null && Date.parse(closing.at) - Date.parse(last.at) < closing.retryMemoryMs;
  const acknowledged = last !== null && row.acknowledgedAt !== null && row.acknowledgedAt > last.at;
  const attempts = recent && !acknowledged ? last.attempts + 1 : 1;
  return { at: closing.at, attempts, outcome: closing.outcome };
}
