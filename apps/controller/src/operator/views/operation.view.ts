import type { SagaRecord } from '#failover';
import { textIn } from './evidence.js';

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
      summary: textIn(evidence, event === 'failed' ? 'reason' : 'summary'),
    })),
});

const reasonIn = (saga: SagaRecord): string | null =>
  textIn(saga.journal.findLast((e) => e.step === 'close' && e.event === 'done')?.evidence ?? null, 'reason');
