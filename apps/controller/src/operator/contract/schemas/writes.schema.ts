import { z } from 'zod';
import { answered, count, instant, ms } from '../shapes.js';
import { lossAcceptance, MODES, pause } from './group.schema.js';
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

export const plannedAct = answered(
  'PlannedAct',
  z.strictObject({
    ...act,
    saga: z.string().nullable().meta({ description: 'null: a dry run, which opens none' }),
    source: z.string(),
    target: z.string(),
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
export const approvedAct = answered('ApprovedAct', plannedAct.extend({ proposal: proposal.optional() }));

export const aborted = answered(
  'Aborted',
  z.strictObject({ saga: z.string(), group: z.string(), outcome: z.literal('aborted') }),
);
