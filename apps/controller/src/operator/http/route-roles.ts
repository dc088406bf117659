import type { Role } from '../../persistence/tokens.port.js';
import { ALL_ROUTES } from '../contract/routes.js';

/** The least role that may call a route, as the table of routes says. A test holds the table equal to what is served. */
export const ROUTE_ROLES: Readonly<Record<string, Role>> = Object.fromEntries(
  ALL_ROUTES.flatMap(({ method, path, role }) => (role === null ? [] : [[`${method} ${path}`, role]])),
);

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** A verb that is new and not named yet asks for the role of an operator: nothing opens by being forgotten. */
export const neededRole = (method: string, path: string): Role =>
  ROUTE_ROLES[`${method} ${path}`] ?? (method === 'GET' ? 'viewer' : 'operator');

export const mayCall = (role: Role, needed: Role): boolean => RANK[role] >= RANK[needed];
