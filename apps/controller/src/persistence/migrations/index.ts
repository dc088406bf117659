import { CreateAuthorityStore1795000000000 } from './1795000000000-create-authority-store.js';
import { DeadLettersAndIncidents1795200000000 } from './1795200000000-dead-letters-and-incidents.js';
import { Tokens1795300000000 } from './1795300000000-tokens.js';
import { AnswersByAge1795450000000 } from './1795450000000-answers-by-age.js';
import { Fleet1795500000000 } from './1795500000000-fleet.js';
import { ByGroup1795600000000 } from './1795600000000-by-group.js';
import { Resends1795700000000 } from './1795700000000-resends.js';

/**
 * Oldest first. Each one after the first only adds what an older controller can live without, because in an upgrade older ones
 * run on the schema of the newest: new tables and indexes, columns that may be null or have a default. A test holds them to it.
 */
export const MIGRATIONS = [
  CreateAuthorityStore1795000000000,
  DeadLettersAndIncidents1795200000000,
  Tokens1795300000000,
  AnswersByAge1795450000000,
  Fleet1795500000000,
  ByGroup1795600000000,
  Resends1795700000000,
] as const;
