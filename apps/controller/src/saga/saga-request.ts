import type { SagaRecord, SagaRequest } from '#failover';
import { evidenceOf, textOf, valueOf } from './saga-journal.js';

/** What a person asked for, as `open` wrote it down; null: nobody asked. */
export function requestOf(saga: SagaRecord): SagaRequest | null {
  const request = valueOf(evidenceOf(saga, 'open'), 'request');
  const by = textOf(request, 'by');
  if (by === null) return null;
  return {
    by,
    reason: textOf(request, 'reason') ?? '',
    acceptUnfencedSource: valueOf(request, 'acceptUnfencedSource') === true,
  };
}
