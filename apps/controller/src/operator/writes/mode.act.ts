import { type Mode, modeErrors, type Policy } from '#failover';
import { Problem } from '../http/problem.js';
import { type Act, actor, iso } from './acts.js';
import type { ModeBody } from './mode.schema.js';

type Configured = Readonly<{ mode: Mode; policy: Policy; observerIdcs: readonly string[] }>;

/**
 * Sets the mode in force, from now on and over restarts, whatever the file says. The rules that refuse `auto` in a file
 * refuse it here. A change starts windows anew; the mode that is in force already changes nothing.
 */
export const setMode = (body: ModeBody, configured: Configured, nowMs: number): Act => ({
  name: 'mode',
  actor: actor(body.by),
  reason: body.reason,
  dryRun: body.dryRun,
  change: (row) => {
    const { mode, reason } = body;
    const before = row.modeChangedAt === null ? configured.mode : row.mode;
    if (before === mode) return { row, summary: `mode is ${mode} already` };
    const errors = modeErrors(mode, configured.policy, configured.observerIdcs);
    if (errors.length > 0) throw notAllowed(row.name, mode, errors);
    return {
      row: { ...row, mode, modeChangedAt: iso(nowMs), modeSet: { by: actor(body.by), reason } },
      summary: `mode ${before} → ${mode}`,
    };
  },
});

const notAllowed = (group: string, mode: Mode, errors: ReturnType<typeof modeErrors>): Problem =>
  new Problem({
    status: 409,
    code: 'refused',
    title: `Group ${group} may not run in mode ${mode}`,
    detail: 'Its configuration does not allow it; nothing was changed.',
    blockedBy: errors.map(({ at, message }) => ({
      name: 'MODE_NOT_ALLOWED',
      detail: message,
      liftedBy: `change ${at === 'mode' ? 'the observers' : at} in the files of all controllers`,
    })),
  });
