import type { SagaRecord } from '#failover';
import { rfc3339 } from '#platform';
import { noteSaga } from './saga-note.js';
import type { SagaRunnerDeps } from './saga-fleet.js';
import type { SagaGroup } from './saga-options.js';
import { confirmFailover, type Evaluation } from './steps/confirm-failover.step.js';
import { openSaga } from './steps/open-saga.step.js';

type Leader = Readonly<{ term: number; holder: string }>;

/** Confirm and open of a failover: the matrix once more, then the journal's first transaction. Null: not confirmed. */
export async function openFailover(
  deps: SagaRunnerDeps,
  by: Leader,
  group: SagaGroup,
  asked: Evaluation,
): Promise<SagaRecord | null> {
  const { crash, store, decisions, time } = deps;
  await crash('before', 'confirm');
  const evaluation = decisions.evaluate(group.name);
  const confirmed = confirmFailover(asked, evaluation);
  const { target } = evaluation.decision;
  await crash('after', 'confirm');
  if (!confirmed.ok || target === null) {
    await recordNotConfirmed(deps, by, asked, confirmed.ok ? 'no target' : confirmed.reason);
    return null;
  }
  await crash('before', 'open');
  const wallMs = time.wallMs();
  const incident = decisions.failoverIncident(group.name);
  const saga = await store.transact(by.term, by.holder, async (tx) => {
    const opened = await openSaga(tx, { term: by.term, wallMs, evaluation, target, incident });
    await noteSaga(tx, opened, 'opened', { wallMs, holder: by.holder });
    return opened;
  });
  await crash('after', 'open');
  return saga;
}

/** Nothing was opened, so nothing counts as an attempt; the event says why the decision did not stand. */
async function recordNotConfirmed(deps: SagaRunnerDeps, by: Leader, asked: Evaluation, reason: string): Promise<void> {
  const at = rfc3339(deps.time.wallMs());
  const { row } = asked.decision;
  const { epoch, name: group } = asked.snapshot.group;
  const { term } = by;
  await deps.store.transact(term, by.holder, async (tx) => {
    const summary = `NOT_CONFIRMED: ${reason}`;
    const detail = { outcome: 'NOT_CONFIRMED', reason };
    await tx.appendEvent({ at, group, type: 'saga', row, summary, detail, term, epoch });
    const actor = `controller:${by.holder}`;
    await tx.appendAudit({ at, actor, action: 'saga NOT_CONFIRMED', group, reason, detail: { row }, term, epoch });
  });
}
