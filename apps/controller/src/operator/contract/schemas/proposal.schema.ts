import { z } from 'zod';
import { answered, count, evidence, instant } from '../shapes.js';

/** A move that waits for persons, or what became of the last one. */
export const proposal = answered(
  'Proposal',
  z.strictObject({
    id: z.string(),
    origin: z.enum(['matrix', 'person']),
    act: z.enum(['failover', 'switchover', 'failback']),
    row: z.int(),
    condition: z.enum(['down', 'degraded']),
    source: z.string(),
    target: z.string(),
    epoch: count(),
    openedAt: instant(),
    expiresAt: instant(),
    after: z.string().nullable().meta({ description: 'the proposal about the same condition that was closed before' }),
    needed: z.union([z.literal(1), z.literal(2)]).meta({ description: 'different persons' }),
    approvals: z.array(z.strictObject({ identity: z.string(), by: z.string(), reason: z.string(), at: instant() })),
    request: evidence(),
    seen: evidence(),
    state: z.enum(['open', 'approved', 'rejected', 'expired', 'withdrawn']),
    closed: z
      .strictObject({ at: instant(), by: z.string(), reason: z.string(), saga: z.string().nullable() })
      .nullable(),
  }),
);
