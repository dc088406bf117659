import type { Json } from '#failover';
import type { IdempotentAnswer } from '../../persistence/authority-store.port.js';
import { isRecord } from '../views/json.js';

/**
 * The operation of an act that is done when it is answered. It needs no row of its own: the answer kept for its key says all there
 * is, on every controller and as long as answers are kept.
 */
const PREFIX = 'act-';

export const actOperation = (key: string): string => `${PREFIX}${Buffer.from(key).toString('base64url')}`;

/** Null: no act's id; a saga's, perhaps. */
export const keyOfOperation = (id: string): string | null =>
  id.startsWith(PREFIX) ? Buffer.from(id.slice(PREFIX.length), 'base64url').toString() : null;

/** Where an answered act is followed; null for a dry run, which is no operation. */
export const actLocation = (body: Json, key: string): string | null =>
  isRecord(body) && body['dryRun'] === true ? null : `/v1/operations/${actOperation(key)}`;

/** Null: what was kept is the answer of something else, such as a token. */
export function actOperationView(id: string, { at, body }: IdempotentAnswer) {
  if (!isRecord(body)) return null;
  const { group, action, summary } = body;
  if (typeof group !== 'string' || typeof action !== 'string' || typeof summary !== 'string') return null;
  return {
    ...{ id, kind: action, group, source: null, target: null },
    ...{ done: true, outcome: 'DONE', reason: summary, openedAt: at, closedAt: at, steps: [] },
  };
}
