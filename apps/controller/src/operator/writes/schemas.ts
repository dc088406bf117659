import { OVERRIDABLE } from '#failover';
import { duration } from '#platform';
import { z } from 'zod';
import { ROLES } from '../../persistence/tokens.port.js';
import { asked } from '../contract/shapes.js';

const DAY_MS = 86_400_000;
const MAX_PAUSE_MS = 30 * DAY_MS;
const MAX_ACCEPTANCE_MS = DAY_MS;
const MAX_TOKEN_LIFE_MS = 366 * DAY_MS;

export const reason = () => z.string().trim().min(1, 'say why').max(1_000);
export const person = () => z.string().trim().min(1, 'name a person').max(200);
const upTo = (maxMs: number, what: string) =>
  duration().refine((ms) => ms <= maxMs, `${what} lasts at most ${maxMs / DAY_MS} d: it must end by itself`);

export const who = { reason: reason(), by: person().optional() };
/** What every act's body has. */
export const common = { ...who, dryRun: z.boolean().default(false) };

export const acknowledgeSchema = asked(
  'Acknowledge',
  z.strictObject({
    ...common,
    evidence: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 hex digits, as break-glass printed it')
      .optional()
      .meta({ description: 'digest of the evidence of a break-glass act; kept in the audit' }),
  }),
);
export const resumeSchema = asked('Resume', z.strictObject(common));
export const pauseSchema = asked(
  'PauseRequest',
  z.strictObject({ ...common, owner: person(), expiresIn: upTo(MAX_PAUSE_MS, 'a pause') }),
);
export const acceptLossSchema = asked(
  'AcceptLoss',
  z
    .strictObject({
      ...common,
      by: person(),
      maxRecords: z.int().min(1).optional(),
      maxDuration: duration().optional(),
      expiresIn: upTo(MAX_ACCEPTANCE_MS, 'an acceptance of loss'),
    })
    .refine((b) => b.maxRecords !== undefined || b.maxDuration !== undefined, {
      message: 'set maxRecords, maxDuration or both: loss is accepted up to a limit only',
      path: ['maxRecords'],
    }),
);

const planned = { ...common, acceptUnfencedSource: z.boolean().default(false) };
const cluster = () => z.string().min(1, 'name a cluster');
export const switchoverSchema = asked(
  'Switchover',
  z.strictObject({
    ...planned,
    target: cluster(),
    at: z.iso.datetime('expected RFC 3339 in UTC, e.g. 2026-11-20T22:00:00Z').optional(),
  }),
);
export const failoverSchema = asked(
  'Failover',
  z.strictObject({
    ...common,
    by: person(),
    target: cluster(),
    acceptLoss: z
      .strictObject({ maxRecords: z.int().min(0).optional(), maxDuration: duration().optional() })
      .refine((l) => l.maxRecords !== undefined || l.maxDuration !== undefined, {
        message: 'set maxRecords, maxDuration or both: loss is accepted up to a limit only',
      }),
    override: z
      .array(z.enum(OVERRIDABLE, `expected names of ${OVERRIDABLE.join(', ')}`))
      .max(OVERRIDABLE.length)
      .default([]),
  }),
);
export const failbackSchema = asked('Failback', z.strictObject({ ...planned, target: cluster().optional() }));
export const rejoinSchema = asked(
  'Rejoin',
  z.strictObject({
    ...planned,
    target: cluster().optional(),
    choice: z.enum(['accept', 'export', 'replay', 'rebuild']),
    destination: z.enum(['file', 'topic']).default('file'),
    strategy: z.enum(['last-write-wins', 'source-priority', 'merge', 'custom']).default('last-write-wins'),
    priority: z.array(z.string().min(1)).max(8).default([]),
    confirm: z.string().min(1, 'name the cluster whose topics are deleted').nullable().default(null),
  }),
);
export const abortSchema = asked('Abort', z.strictObject(who));

export const alertTestSchema = asked('AlertTestRequest', z.strictObject(who));
export const resendSchema = asked(
  'Resend',
  z.strictObject({ ...who, receivers: z.array(z.string()).min(1).optional() }),
);
export const createTokenSchema = asked(
  'CreateToken',
  z.strictObject({
    name: z.string().trim().min(1).max(100),
    role: z.enum(ROLES),
    expiresIn: upTo(MAX_TOKEN_LIFE_MS, 'a token'),
  }),
);

export type SwitchoverBody = z.output<typeof switchoverSchema>;
export type PlannedBody = z.output<typeof failbackSchema>;
export type FailoverBody = z.output<typeof failoverSchema>;
export type RejoinBody = z.output<typeof rejoinSchema>;
export type AbortBody = z.output<typeof abortSchema>;
export type AcknowledgeBody = z.output<typeof acknowledgeSchema>;
export type ResumeBody = z.output<typeof resumeSchema>;
export type PauseBody = z.output<typeof pauseSchema>;
export type AcceptLossBody = z.output<typeof acceptLossSchema>;
export type AlertTestBody = z.output<typeof alertTestSchema>;
export type ResendBody = z.output<typeof resendSchema>;
export type CreateTokenBody = z.output<typeof createTokenSchema>;
