import { goalKey } from '#failover';
import { clusterGoal, flowGoal, lastWord, pollUntil, reachedStatus } from '../agent-calls.js';
import type { Switch } from '../present-switch.js';
import { StepFailure, type StepContext } from '../steps/step.js';

/** What a rejoin and a rebuild ask of the old side alike: the saga's target, whose topics stand behind the active cluster's. */

/** The goals that the switch left: old side closed, both flows stopped. Set anew with this saga's epoch, then read back. */
export async function mustHold(ctx: StepContext, signal: AbortSignal): Promise<void> {
  const { source: active, target: old } = ctx.saga;
  const flows = [flowGoal(ctx, old, active, 'stopped'), flowGoal(ctx, active, old, 'stopped')];
  const known = await ctx.goals();
  const exchanged = known.some((g) => g.subject === 'cluster' && g.cluster === old && g.epoch === ctx.epoch);
  const goals = [...(exchanged ? [] : [clusterGoal(ctx, old, 'fenced')]), ...flows.filter((f) => f !== null)];
  await ctx.setGoals(goals);
  const held = await pollUntil(ctx, signal, () => goals.every((g) => reachedStatus(ctx, g) !== null) || null);
  if (held === null) {
    const missed = goals.filter((g) => reachedStatus(ctx, g) === null);
    const said = missed.map((g) => `${goalKey(g)} ${g.state}: ${lastWord(ctx, g)}`);
    throw new StepFailure('FAILED', `${old} is not closed, or a flow could not be proved stopped: ${said.join('; ')}`);
  }
}

/**
 * A later step of this saga has started the way back: its own goals hold now. The old side's logs grow by it, so what was read
 * of them before must not be read again.
 */
export async function wayBackBegun(ctx: StepContext): Promise<boolean> {
  const { target: old } = ctx.saga;
  return (await ctx.goals()).some(
    (g) => g.subject === 'flow' && g.to === old && g.state === 'running' && g.epoch === ctx.epoch,
  );
}

/** The same as after a planned switch, seen from there: the old side is what it led away from. */
export const homeward = (ctx: StepContext): StepContext => ({
  ...ctx,
  saga: { ...ctx.saga, source: ctx.saga.target, target: ctx.saga.source },
  ledger: async () => (await switchOf(ctx)).rows,
});

export async function switchOf(ctx: StepContext): Promise<Switch> {
  const { source: active, target: old } = ctx.saga;
  const found = await ctx.switchAway();
  if (found === null) throw new StepFailure('ABORTED', `the ledger does not hold the switch from ${old} to ${active}`);
  return found;
}
