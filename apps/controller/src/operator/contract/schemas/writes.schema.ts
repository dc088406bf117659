import { z } from 'zod';
import { answered, count, instant, ms } from '../shapes.js';
import { lossAcceptance, MODES, pause, scheduled } from './group.schema.js';
import { blockedBy } from './problem.schema.js';
import { proposal } from './proposal.schema.js';

const act = {
  group: z.string(),
  action: z.string(),
  dryRun: z.boolean(),
  changed: z.boolean(),
  summary: z.string(),
  epoch: count(),
};

export const groupAct = answered(
  'GroupAct',
  z.strictObject({
    ...act,
    pause: pause.nullable(),
    frozen: z.string().nullable(),
    acknowledgedAt: instant().nullable(),
    lossAcceptance: lossAcceptance.nullable(),
    mode: z.enum(MODES),
    proposal: proposal.nullable(),
  }),
);

/** Of all groups at once. */
export const fleetAct = answered(
  'FleetAct',
  z.strictObject({
    action: z.enum(['pause', 'resume']),
    dryRun: z.boolean(),
    changed: z.boolean(),
    summary: z.string(),
    groups: z.array(z.string()),
    pause: pause.nullable(),
  }),
);

export const plannedAct = answered(
  'PlannedAct',
  z.strictObject({
    ...act,
    saga: z.string().nullable().meta({ description: 'null: a dry run, or another person must accept the order' }),
    proposal: proposal.optional().meta({ description: 'the order that waits for another person' }),
    scheduled: scheduled.optional().meta({ description: 'it begins at that time, if nothing stands in its way then' }),
    blockedBy: z.array(blockedBy).optional().meta({ description: 'of a scheduled act: what would refuse it now' }),
    source: z.string(),
    target: z.string(),
    loss: z
      .strictObject({
        knownRecords: count().nullable(),
        estimatedRecords: count().nullable(),
        atLeast: z.boolean(),
        says: z.string(),
      })
      .optional()
      .meta({ description: 'of an ordered failover: what it loses, as far as anybody can say' }),
    steps: z.array(
      z.strictObject({
        step: z.string(),
        phase: z.enum(['before', 'return', 'after']),
        effect: z.string(),
        compensation: z.string().nullable(),
        deadlineMs: ms(),
      }),
    ),
  }),
);

/** A yes that opened a saga, or one of two. */
export const approvedAct = answered('ApprovedAct', plannedAct.extend({}));

export const aborted = answered(
  'Aborted',
  z.strictObject({
    saga: z.string(),
    group: z.string(),
    outcome: z.literal('aborted'),
    scheduled: z.literal(true).optional().meta({ description: 'it had not begun: nothing had to be taken back' }),
  }),
);
