import { z } from 'zod';
import { ROLES } from '../../../persistence/tokens.port.js';
import { answered, count, instant, ms } from '../shapes.js';

export const agents = answered(
  'Agents',
  z.strictObject({
    controller: z.string(),
    agents: z.array(
      z.strictObject({
        agent: z.string(),
        idc: z.string(),
        bootId: z.string(),
        protocolVersion: count(),
        connected: z.boolean(),
        lastReportAgeMs: ms().nullable(),
        clusters: z.array(z.string()),
        goodbye: z.boolean(),
      }),
    ),
  }),
);

export const controllers = answered(
  'Controllers',
  z.strictObject({
    answeredBy: z.strictObject({ id: z.string(), version: z.string(), leading: z.boolean() }),
    leader: z.strictObject({ id: z.string(), advertise: z.string(), term: count() }).nullable(),
    time: instant(),
    controllers: z.array(
      z.strictObject({
        id: z.string(),
        idc: z.string(),
        advertise: z.string(),
        policyDigest: z.string(),
        beats: count(),
        version: z.string(),
        leader: z.boolean(),
      }),
    ),
  }),
);

const tokenMembers = {
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  createdAt: instant(),
  createdBy: z.string(),
  expiresAt: instant(),
  revokedAt: instant().nullable(),
};
export const token = answered('Token', z.strictObject(tokenMembers));
export const tokens = answered('Tokens', z.strictObject({ tokens: z.array(token) }));
export const newToken = answered(
  'NewToken',
  z.strictObject({
    ...tokenMembers,
    token: z.string().nullable().meta({ description: 'shown once; null in the answer to a repeat of its key' }),
  }),
);

export const alive = answered(
  'Alive',
  z.strictObject({ status: z.literal('ok'), id: z.string(), version: z.string() }),
);
export const ready = answered(
  'Ready',
  z.strictObject({
    status: z.enum(['ready', 'not ready']),
    checks: z.strictObject({
      store: z.boolean(),
      caughtUp: z.boolean(),
      signInKeys: z.enum(['fresh', 'cached', 'none']).optional(), // of OIDC, where it is set; ready without them
    }),
  }),
);
