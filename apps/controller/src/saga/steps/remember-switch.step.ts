import { goalKey, type Goal } from '#failover';
import { clusterGoal, flowGoal } from '../agent-calls.js';
import { evidenceOf } from '../saga-journal.js';
import { standingFence } from './exchange-fence.step.js';
import type { Step, StepContext, StepResult } from './step.js';

/**
 * What stays true after the switch: the old side is fenced the moment it returns, and neither direction replicates until a
 * rejoin says so. The ledger rows are there since freeze-position.
 */
export const rememberSwitch: Step = {
  name: 'remember',
  run: (ctx) => keep(ctx, lastingGoals(ctx)),
};

/**
 * The same after a planned switch: the way back runs already. Where it could not be started (a debt), its goal stays
 * stopped: a flow is never started without its seed.
 */
export const rememberPlanned: Step = {
  name: 'remember',
  async run(ctx): Promise<StepResult> {
    const { source, target } = ctx.saga;
    const reversed = evidenceOf(ctx.saga, 'reverse') !== null;
    const flows = [
      flowGoal(ctx, source, target, 'stopped'),
      flowGoal(ctx, target, source, reversed ? 'running' : 'stopped'),
    ];
    return await keep(ctx, [standingFence(ctx), clusterGoal(ctx, target, 'open'), ...flows.filter((f) => f !== null)]);
  },
};

async function keep(ctx: StepContext, goals: readonly Goal[]): Promise<StepResult> {
  await ctx.setGoals(goals);
  const rows = await ctx.ledger();
  const kept = goals.map((g) => `${goalKey(g)} ${g.state}`);
  return { evidence: { summary: `goals kept: ${kept.join(', ')}`, goals: kept, ledgerRows: rows.length } };
}

function lastingGoals(ctx: StepContext): readonly Goal[] {
  const { source, target } = ctx.saga;
  const flows = [flowGoal(ctx, source, target, 'stopped'), flowGoal(ctx, target, source, 'stopped')];
  return [clusterGoal(ctx, source, 'fenced'), clusterGoal(ctx, target, 'open'), ...flows.filter((f) => f !== null)];
}
