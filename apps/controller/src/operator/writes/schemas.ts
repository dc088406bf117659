import { duration } from '#platform';
import { z } from 'zod';

const DAY_MS = 86_400_000;
const MAX_PAUSE_MS = 30 * DAY_MS;
const MAX_ACCEPTANCE_MS = DAY_MS;

const reason = () => z.string().trim().min(1, 'say why').max(1_000);
const person = () => z.string().trim().min(1, 'name a person').max(200);
const upTo = (maxMs: number, what: string) =>
  duration().refine((ms) => ms <= maxMs, `${what} lasts at most ${maxMs / DAY_MS} d: it must end by itself`);

const common = { reason: reason(), by: person().optional(), dryRun: z.boolean().default(false) };

export const acknowledgeSchema = z.strictObject(common);
export const resumeSchema = z.strictObject(common);
export const pauseSchema = z.strictObject({
  ...common,
  owner: person(),
  expiresIn: upTo(MAX_PAUSE_MS, 'a pause'),
});
export const acceptLossSchema = z
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
  });

const planned = { ...common, acceptUnfencedSource: z.boolean().default(false) };
export const switchoverSchema = z.strictObject({ ...planned, target: z.string().min(1, 'name a cluster') });
export const failbackSchema = z.strictObject({ ...planned, target: z.string().min(1, 'name a cluster').optional() });
export const rejoinSchema = z.strictObject({
  ...planned,
  target: z.string().min(1, 'name a cluster').optional(),
  choice: z.enum(['accept', 'export', 'replay', 'rebuild']),
  destination: z.enum(['file', 'topic']).default('file'),
  strategy: z.enum(['last-write-wins', 'source-priority', 'merge', 'custom']).default('last-write-wins'),
  priority: z.array(z.string().min(1)).max(8).default([]),
});
export const abortSchema = z.strictObject({ reason: reason(), by: person().optional() });

export type PlannedBody = z.output<typeof failbackSchema>;
export type RejoinBody = z.output<typeof rejoinSchema>;
export type AbortBody = z.output<typeof abortSchema>;
export type AcknowledgeBody = z.output<typeof acknowledgeSchema>;
export type ResumeBody = z.output<typeof resumeSchema>;
export type PauseBody = z.output<typeof pauseSchema>;
export type AcceptLossBody = z.output<typeof acceptLossSchema>;
