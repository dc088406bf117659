import type { SagaRecord } from '#failover';
import { rfc3339 } from '#platform';
import type { AuthorityTx } from '../persistence/authority-store.port.js';
import { evidenceOf, textOf } from './saga-journal.js';

/** Event and audit row of what happened to a saga as a whole: opened, taken over. */
export async function noteSaga(
  tx: AuthorityTx,
  saga: SagaRecord,
  what: string,
  by: Readonly<{ wallMs: number; holder: string; actor?: string }>,
): Promise<void> {
  const at = rfc3339(by.wallMs);
  const { group, row, epoch, source, target, term } = saga;
  const summary = `${saga.kind} ${source} → ${target}: ${what}`;
  const detail = {
    saga: saga.id,
    incident: textOf(evidenceOf(saga, 'open'), 'incident'),
    opening: saga.journal.findLast((e) => e.step === 'open')?.evidence ?? null,
  };
  await tx.appendEvent({ at, group, type: 'saga', row, summary, detail, term, epoch });
  const actor = by.actor ?? `controller:${by.holder}`;
  await tx.appendAudit({ at, actor, action: `saga ${what}`, group, reason: summary, detail, term, epoch });
}
