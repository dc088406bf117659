import { ask, pollUntil } from '../agent-calls.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

const LOOK_EVERY_MS = 500;

/**
 * Before clients are told anything: positions can be set on the target only for groups without members there. A cluster that
 * was killed and returned counts its dead consumers as members until their sessions run out, so they are waited for. A group
 * that stays is one that lives there; it is listed, and set-offsets leaves it alone.
 */
export const settleGroups: Step = {
  name: 'settle-groups',
  async run(ctx, signal): Promise<StepResult> {
    const { target } = ctx.saga;
    const seen: Seen = { waitedFor: null, sinceMs: ctx.time.monotonicMs(), problem: 'not looked at' };
    const times = { ...ctx.times, pollMs: LOOK_EVERY_MS };
    const active = await pollUntil({ time: ctx.time, times }, signal, () => look(ctx, seen, signal));
    if (active === null)
      throw new StepFailure('ABORTED', `consumer groups on ${target} could not be read: ${seen.problem}`);
    return { evidence: { summary: summaryOf(target, active, seen), active, waitedFor: seen.waitedFor ?? [] } };
  },
};

type Seen = { waitedFor: readonly string[] | null; sinceMs: number; problem: string };

/** Groups with members when the wait is over; null: look again. */
async function look(ctx: StepContext, seen: Seen, signal: AbortSignal): Promise<readonly string[] | null> {
  const { target: cluster } = ctx.saga;
  const { consumerGroups: groups, topics } = ctx.group.watch;
  if (groups.length === 0) return [];
  const held = await ask(ctx, cluster, { kind: 'read_group_offsets', cluster, groups, topics }, signal);
  if (!held.ok) {
    seen.problem = held.detail;
    return null;
  }
  const { states } = held.output;
  const active = groups.filter((g) => states[g] === 'STABLE' || states[g] === 'REBALANCING');
  const { waitMs } = ctx.group.policy.groupsOnTarget;
  if (active.length === 0 || ctx.time.monotonicMs() - seen.sinceMs >= waitMs) return active;
  if (seen.waitedFor === null) {
    seen.waitedFor = active;
    await ctx.note(`${active.join(', ')}: members on ${cluster} are waited for, ${waitMs / 1_000} s at most`);
  }
  return null;
}

function summaryOf(target: string, active: readonly string[], { waitedFor }: Seen): string {
  if (active.length > 0) return `still members on ${target}: ${active.join(', ')}`;
  return `no group has members on ${target}${waitedFor === null ? '' : ` any more; waited for ${waitedFor.join(', ')}`}`;
}
