import type { Json, SagaRecord } from '#failover';
import type { AuditRow } from '../../persistence/authority-store.port.js';
import { memberOf, textIn } from './evidence.js';

const AROUND_MS = 3_600_000;

export type SagaReport = Readonly<{
  saga: Omit<SagaRecord, 'journal'>;
  /** What the closing of the saga recorded: timeline, rto, loss, fence, votes; null while it is open. */
  figures: Json;
  /** What it began with: the votes, the row, what was known of the loss. */
  begun: Json;
  /** After publish: how many clients follow, who does not, who goes on at the old side without the wrapper; null before. */
  clients: Json;
  steps: readonly Readonly<{ at: string; step: string; direction: string; event: string; summary: string | null }>[];
  acts: readonly Readonly<{
    at: string;
    actor: string;
    authenticated: string | null;
    action: string;
    reason: string;
  }>[];
}>;

/** From the journal and the audit alone, so that every controller says the same at any time. */
export function sagaReportView({ journal, ...saga }: SagaRecord, audit: readonly AuditRow[]): SagaReport {
  const closed = journal.findLast((e) => e.step === 'close' && e.event === 'done');
  const verified = journal.findLast((e) => e.step === 'verify-publish' && e.event === 'done');
  const begun = journal.find((e) => e.step === 'open' && e.event === 'done');
  const from = Date.parse(saga.openedAt) - AROUND_MS;
  const to = saga.closedAt === null ? Infinity : Date.parse(saga.closedAt) + AROUND_MS;
  const around = audit.filter(({ at }) => Date.parse(at) >= from && Date.parse(at) <= to);
  return {
    saga,
    figures: closed?.evidence ?? null,
    begun: begun?.evidence ?? null,
    clients: memberOf(verified?.evidence ?? null, 'adoption'),
    steps: journal.map(({ at, step, direction, event, evidence }) => ({
      ...{ at, step, direction, event },
      summary: textIn(evidence, 'summary'),
    })),
    acts: around.map(({ at, actor, action, reason, detail }) => ({
      ...{ at, actor, action, reason },
      authenticated: textIn(detail, 'authenticated') ?? textIn(detail, 'identity'), // null: a controller
    })),
  };
}
