import { ALERT_STATES } from '../../../persistence/alerts.port.js';
import { ALERT, AUDIT_ROW, EVENT, EVENT_STREAM } from '../examples/records.example.js';
import { OPERATION, SAGA, SAGA_REPORT } from '../examples/saga.example.js';
import { LIST, MAX_SEQ, routes } from '../route.js';
import { alertState, alerts, audit, auditVerdict, events } from '../schemas/records.schema.js';
import { operation, saga, sagaReport, sagas } from '../schemas/saga.schema.js';

const read = { method: 'GET', role: 'viewer', kind: 'read' } as const;
const after = { min: 0, max: MAX_SEQ, noDefault: true } as const;

/** What was written down: events, sagas, audit, alerts. */
export const recordRoutes = routes({
  events: {
    ...read,
    id: 'listEvents',
    path: '/v1/events',
    tag: 'events',
    says: 'Events as a list; with `Accept: text/event-stream` a stream that resumes at any controller',
    query: {
      after: { ...after, fallback: -1, says: 'only events after this seq; absent: the last ones' },
      limit: LIST,
      group: { says: 'of this group only', example: 'orders' },
    },
    headers: { 'last-event-id': { says: 'as `after`; sent by clients of event streams when they come back' } },
    answers: [
      { status: 200, says: 'oldest first', schema: events, example: { events: [EVENT] } },
      { status: 200, says: 'the stream', media: 'text/event-stream', example: EVENT_STREAM },
    ],
    problems: ['not_found', 'too_many_streams'],
  },
  sagas: {
    ...read,
    id: 'listSagas',
    path: '/v1/sagas',
    tag: 'sagas',
    says: 'The newest sagas of a group with their journals',
    query: { group: { says: 'of this group', example: 'orders', required: true }, limit: LIST },
    answers: [{ status: 200, says: 'the sagas', schema: sagas, example: { group: 'orders', sagas: [SAGA] } }],
    problems: ['not_found'],
  },
  saga: {
    ...read,
    id: 'getSaga',
    path: '/v1/sagas/:id',
    tag: 'sagas',
    says: 'One saga with its journal',
    answers: [{ status: 200, says: 'the saga', schema: saga, example: SAGA }],
  },
  sagaReport: {
    ...read,
    id: 'getSagaReport',
    path: '/v1/sagas/:id/report',
    tag: 'sagas',
    says: 'One saga for people: timeline, votes, times, loss, steps, who did what',
    query: { format: { says: 'absent: JSON', example: 'markdown' } },
    answers: [
      { status: 200, says: 'the report', schema: sagaReport, example: SAGA_REPORT },
      { status: 200, says: 'the same for a ticket', media: 'text/markdown', example: '# failover of orders: a → b\n' },
    ],
  },
  operation: {
    ...read,
    id: 'getOperation',
    path: '/v1/operations/:id',
    tag: 'sagas',
    says: 'What a 202 points to: how far an act has come. Steps are only ever added, `done` never goes back',
    answers: [{ status: 200, says: 'the operation', schema: operation, example: OPERATION }],
  },
  audit: {
    ...read,
    id: 'listAudit',
    path: '/v1/audit',
    tag: 'audit',
    says: 'Who did what, how and why; hash-chained, oldest first',
    query: { after: { ...after, fallback: 0, says: 'only rows after this seq' }, limit: LIST },
    answers: [{ status: 200, says: 'the rows', schema: audit, example: { audit: [AUDIT_ROW] } }],
  },
  auditVerify: {
    ...read,
    id: 'verifyAudit',
    path: '/v1/audit/verify',
    tag: 'audit',
    says: 'Checks the hash chain from its first row; rows cut off at the end are found by comparing `last`',
    answers: [
      {
        status: 200,
        says: 'the verdict',
        schema: auditVerdict,
        example: { ok: true, rows: 1, seq: null, reason: null, last: { seq: 1, hash: AUDIT_ROW.hash } },
      },
    ],
  },
  alerts: {
    ...read,
    id: 'listAlerts',
    path: '/v1/alerts',
    tag: 'alerts',
    says: 'What was told, newest first, with what every receiver answered',
    query: { state: { says: 'absent: all', oneOf: ALERT_STATES, example: 'dead' }, limit: LIST },
    answers: [{ status: 200, says: 'the alerts', schema: alerts, example: { alerts: [ALERT] } }],
  },
  alert: {
    ...read,
    id: 'getAlert',
    path: '/v1/alerts/:id',
    tag: 'alerts',
    says: 'One alert with what every receiver answered',
    answers: [{ status: 200, says: 'the alert', schema: alertState, example: ALERT }],
  },
});
