import type { Route } from './route.js';
import { fleetRoutes } from './routes/fleet.routes.js';
import { groupRoutes } from './routes/groups.routes.js';
import { proposalRoutes } from './routes/proposals.routes.js';
import { recordRoutes } from './routes/records.routes.js';
import { writeRoutes } from './routes/writes.routes.js';

/**
 * Every route of the API, once. Controllers serve them by it (`@Serves`), the roles are read from it, the document is
 * made of it, and tests hold every answer to it.
 */
export const ROUTES = { ...groupRoutes, ...recordRoutes, ...writeRoutes, ...proposalRoutes, ...fleetRoutes } as const;

export const ALL_ROUTES: readonly Route[] = Object.values(ROUTES);
