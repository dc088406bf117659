import type { Policy } from './facts.js';
import type { Row } from './row.js';
import { CLASSIC_ROWS } from './rows-classic.js';
import { GUARDED_ROWS } from './rows-guarded.js';

export const TABLES: Readonly<Record<Policy['preset'], readonly Row[]>> = {
  guarded: GUARDED_ROWS,
  classic: CLASSIC_ROWS,
};

export const tableOf = (policy: Policy): readonly Row[] => TABLES[policy.preset];
