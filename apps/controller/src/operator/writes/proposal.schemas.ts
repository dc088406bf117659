import { z } from 'zod';
import { asked } from '../contract/shapes.js';
import { common } from './schemas.js';

/** `proposal`: its id; absent: whichever is open. */
const which = { proposal: z.string().min(1).max(64).optional() };

export const approveSchema = asked('Approve', z.strictObject({ ...common, ...which }));
export const rejectSchema = asked('Reject', z.strictObject({ ...common, ...which }));

export type ApproveBody = z.output<typeof approveSchema>;
export type RejectBody = z.output<typeof rejectSchema>;
