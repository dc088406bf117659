import { z } from 'zod';
import { asked } from '../contract/shapes.js';
import { common } from './schemas.js';

export const modeSchema = asked(
  'ModeRequest',
  z.strictObject({ ...common, mode: z.enum(['observe', 'approve', 'auto']) }),
);

export type ModeBody = z.output<typeof modeSchema>;
