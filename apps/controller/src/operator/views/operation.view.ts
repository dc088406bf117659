import type { SagaRecord } from '#failover';

/** How far a saga has come, in one line per step; its evidence is under /v1/sagas/{id}. */
export const operationView = (saga: SagaRecord) => ({
  id: saga.id,
  kind: saga.kind,
  group: saga.group,
  source: saga.source,
  target: saga.target,
  done: saga.outcome !== null,
  outcome: saga.outcome,
  reason: reasonIn(saga),
  openedAt: saga.openedAt,
  closedAt: saga.closedAt,
  steps: saga.journal
    .filter((entry) => entry.step !== 'close')
    .map(({ seq, step, direction, event, at, evidence }) => ({
      ...{ seq, step, direction, event, at },
      summary: textOf(evidence, event === 'failed' ? 'reason' : 'summary'),
    })),
});

const reasonIn = (saga: SagaRecord): string | null =>
  textOf(saga.journal.findLast((e) => e.step === 'close' && e.event === 'done')?.evidence ?? null, 'reason');

function textOf(evidence: SagaRecord['journal'][number]['evidence'], field: string): string | null {
  if (evidence === null || typeof evidence !== 'object' || Array.isArray(evidence)) return null;
  const value = Object.entries(evidence).find(([key]) => key === field)?.[1];
  return typeof value === 'string' ? value : null;
}
