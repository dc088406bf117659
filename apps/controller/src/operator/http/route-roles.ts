import type { Role } from '../../persistence/tokens.port.js';

/** The least role that may call a route. A test holds it equal to the routes that are served. */
export const ROUTE_ROLES: Readonly<Record<string, Role>> = {
  'GET /v1/groups': 'viewer',
  'GET /v1/groups/:group': 'viewer',
  'GET /v1/groups/:group/explain': 'viewer',
  'GET /v1/groups/:group/history': 'viewer',
  'GET /v1/groups/:group/audit': 'viewer',
  'GET /v1/groups/:group/clients': 'viewer',
  'GET /v1/groups/:group/tail': 'viewer',
  'GET /v1/groups/:group/readiness': 'viewer',
  'GET /v1/events': 'viewer',
  'GET /v1/sagas': 'viewer',
  'GET /v1/sagas/:id': 'viewer',
  'GET /v1/sagas/:id/report': 'viewer',
  'GET /v1/operations/:id': 'viewer',
  'GET /v1/agents': 'viewer',
  'GET /v1/controllers': 'viewer',
  'GET /v1/audit': 'viewer',
  'GET /v1/audit/verify': 'viewer',
  'GET /v1/alerts': 'viewer',
  'GET /v1/alerts/:id': 'viewer',
  'POST /v1/alerts/:id/resend': 'operator',
  'POST /v1/alerts/test': 'operator',
  'POST /v1/groups/:group/acknowledge': 'operator',
  'POST /v1/groups/:group/pause': 'operator',
  'POST /v1/groups/:group/resume': 'operator',
  'POST /v1/groups/:group/accept-loss': 'operator',
  'POST /v1/groups/:group/switchover': 'operator',
  'POST /v1/groups/:group/failback': 'operator',
  'POST /v1/groups/:group/rejoin': 'operator',
  'POST /v1/sagas/:id/abort': 'operator',
  'GET /v1/tokens': 'admin',
  'POST /v1/tokens': 'admin',
  'POST /v1/tokens/:id/revoke': 'admin',
};

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** A verb that is new and not named yet asks for the role of an operator: nothing opens by being forgotten. */
export const neededRole = (method: string, path: string): Role =>
  ROUTE_ROLES[`${method} ${path}`] ?? (method === 'GET' ? 'viewer' : 'operator');

export const mayCall = (role: Role, needed: Role): boolean => RANK[role] >= RANK[needed];
