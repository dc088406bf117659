import { AGENTS, CONTROLLERS, TOKEN } from '../examples/fleet.example.js';
import { routes } from '../route.js';
import { createTokenSchema } from '../../writes/schemas.js';
import { agents, alive, controllers, newToken, ready, token, tokens } from '../schemas/fleet.schema.js';

const read = { method: 'GET', role: 'viewer', kind: 'read', tag: 'fleet' } as const;
const admin = { role: 'admin', tag: 'tokens' } as const;
const monitor = { method: 'GET', role: null, kind: 'read', tag: 'monitoring' } as const;

/** Pointsman itself: its processes, who may call it, and what monitors look at. */
export const fleetRoutes = routes({
  agents: {
    ...read,
    id: 'listAgents',
    path: '/v1/agents',
    says: 'Sessions of the controller that answers',
    answers: [{ status: 200, says: 'the sessions', schema: agents, example: AGENTS }],
  },
  controllers: {
    ...read,
    id: 'listControllers',
    path: '/v1/controllers',
    says: 'Who lives, who leads, versions and policy digests',
    answers: [{ status: 200, says: 'the controllers', schema: controllers, example: CONTROLLERS }],
  },
  document: {
    ...read,
    id: 'getDocument',
    path: '/v1/openapi.json',
    says: 'This document, as the controller serves it',
    answers: [{ status: 200, says: 'OpenAPI 3.1', example: { openapi: '3.1.1' } }],
  },
  tokens: {
    ...admin,
    id: 'listTokens',
    method: 'GET',
    kind: 'read',
    path: '/v1/tokens',
    says: 'Every token, never its text',
    answers: [{ status: 200, says: 'the tokens', schema: tokens, example: { tokens: [TOKEN] } }],
  },
  createToken: {
    ...admin,
    id: 'createToken',
    method: 'POST',
    kind: 'keyed-write',
    path: '/v1/tokens',
    says: 'A new token. What is kept for its key is the answer without the token: that is shown once',
    body: { schema: createTokenSchema, example: { name: 'dashboard', role: 'viewer', expiresIn: '90d' } },
    answers: [
      { status: 201, says: 'shown once', schema: newToken, example: { ...TOKEN, token: `pt_${'x'.repeat(43)}` } },
    ],
  },
  revokeToken: {
    ...admin,
    id: 'revokeToken',
    method: 'POST',
    kind: 'keyed-write',
    path: '/v1/tokens/:id/revoke',
    says: 'The token is refused from now on; again: no change',
    answers: [
      { status: 200, says: 'the token', schema: token, example: { ...TOKEN, revokedAt: '2026-11-21T08:00:00.000Z' } },
    ],
  },
  alive: {
    ...monitor,
    id: 'isAlive',
    path: '/healthz',
    says: 'Depends on nothing outside the process',
    answers: [
      { status: 200, says: 'it lives', schema: alive, example: { status: 'ok', id: 'ctl-a', version: '0.1.0' } },
    ],
  },
  ready: {
    ...monitor,
    id: 'isReady',
    path: '/readyz',
    says: 'The store answers, and every group has been judged past its grace',
    answers: [
      {
        status: 200,
        says: 'ready',
        schema: ready,
        example: { status: 'ready', checks: { store: true, caughtUp: true } },
      },
      {
        status: 503,
        says: 'not yet',
        schema: ready,
        example: { status: 'not ready', checks: { store: true, caughtUp: false } },
      },
    ],
  },
  metrics: {
    ...monitor,
    id: 'getMetrics',
    path: '/metrics',
    says: 'Prometheus text; names begin with `pointsman_`',
    answers: [{ status: 200, says: 'the metrics', media: 'text/plain', example: '# TYPE pointsman_term gauge\n' }],
  },
});
