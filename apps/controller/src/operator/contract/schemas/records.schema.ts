import { z } from 'zod';
import { answered, count, evidence, instant } from '../shapes.js';

export const event = answered(
  'Event',
  z.strictObject({
    seq: count(),
    at: instant(),
    group: z.string().nullable(),
    type: z.enum(['decision', 'saga', 'leadership', 'operator', 'alert']),
    row: z.int().nullable(),
    summary: z.string(),
    detail: evidence(),
    term: count(),
    epoch: count().nullable(),
    explain: z.string().nullable().meta({ description: 'of a decision: where its explanation is' }),
  }),
);
export const events = answered('Events', z.strictObject({ events: z.array(event) }));
export const history = answered('History', z.strictObject({ group: z.string(), events: z.array(event) }));

const sha256 = () => z.string().regex(/^[0-9a-f]{64}$/);

const auditRow = answered(
  'AuditRow',
  z.strictObject({
    seq: count(),
    at: instant(),
    actor: z.string(),
    action: z.string(),
    group: z.string().nullable(),
    reason: z.string(),
    detail: evidence(),
    term: count(),
    epoch: count().nullable(),
    previousHash: sha256(),
    hash: sha256(),
  }),
);
export const audit = answered('Audit', z.strictObject({ audit: z.array(auditRow) }));
export const groupAudit = answered('GroupAudit', z.strictObject({ group: z.string(), audit: z.array(auditRow) }));
export const auditVerdict = answered(
  'AuditVerdict',
  z.strictObject({
    ok: z.boolean(),
    rows: count(),
    seq: count().nullable().meta({ description: 'the first row that does not fit' }),
    reason: z.string().nullable(),
    last: z.strictObject({ seq: count(), hash: sha256() }).nullable(),
  }),
);

const alertKind = z.string().meta({ description: 'docs/alerts.md lists them' });

const alert = z.strictObject({
  id: z.string(),
  incident: z.string(),
  type: alertKind,
  group: z.string(),
  row: z.int().nullable(),
  reason: z.string(),
  blockers: z.array(z.strictObject({ name: z.string(), liftedBy: z.string() })),
  term: count(),
  epoch: count(),
  at: instant(),
  of: z.array(alertKind).optional(),
});

export const alertState = answered(
  'AlertDelivery',
  z.strictObject({
    alert,
    settledAt: instant().nullable(),
    deliveries: z.array(
      z.strictObject({
        receiver: z.string(),
        deliveredAt: instant().nullable(),
        attempts: count(),
        lastError: z.string().nullable(),
        attemptedAt: instant(),
        deadAt: instant().nullable(),
        round: count(),
      }),
    ),
  }),
);
export const alerts = answered('AlertDeliveries', z.strictObject({ alerts: z.array(alertState) }));
export const resent = answered('Resent', z.strictObject({ alert: z.string(), receivers: z.array(z.string()) }));
export const tested = answered(
  'AlertTest',
  z.strictObject({
    incident: z.string(),
    alerts: z.array(z.strictObject({ id: z.string(), type: alertKind })),
  }),
);
