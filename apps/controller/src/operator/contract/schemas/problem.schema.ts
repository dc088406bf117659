import { z } from 'zod';
import { answered } from '../shapes.js';
import { PROBLEM_CODES } from '../problem-codes.js';

export const blockedBy = answered(
  'BlockedBy',
  z.strictObject({
    name: z.string().meta({ description: 'stands for good; the blockers of docs/decision-matrix.md among others' }),
    detail: z.string(),
    liftedBy: z.string().meta({ description: 'the call, or the event, that takes it away' }),
  }),
);

/** RFC 9457 with members of our own. */
export const problem = answered(
  'Problem',
  z.strictObject({
    type: z.string(),
    status: z.int().min(400).max(599),
    code: z.enum(PROBLEM_CODES).meta({ description: 'for programs; a code never changes its meaning' }),
    title: z.string(),
    detail: z.string().meta({ description: 'what to do' }),
    instance: z.string(),
    requestId: z.string().meta({ description: 'also in the header X-Request-Id and in the log of the controller' }),
    leader: z.string().nullable().meta({ description: 'URL of the controller that leads, if one is known' }),
    blockedBy: z.array(blockedBy),
    errors: z.array(
      z.strictObject({
        pointer: z.string().meta({ description: 'JSON pointer into the body, or ?name of a query parameter' }),
        detail: z.string(),
      }),
    ),
  }),
);
