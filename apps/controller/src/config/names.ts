import { z } from 'zod';

/** What things are called in a configuration file, in metrics' labels and in the store. */
export const name = () =>
  z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected 1 to 63 characters of a-z, 0-9, dot, dash, underscore');
