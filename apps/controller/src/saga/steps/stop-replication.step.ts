import { goalKey, type FlowGoal, type GoalStatus } from '#failover';
import { flowGoal, pollUntil, reachedStatus, refusedStatus, takeBack } from '../agent-calls.js';
import { failureEvidence, failuresIn, watchFlow } from './flow-failures.js';
import type { Step, StepContext, StepResult } from './step.js';

/**
 * Source → target is stopped before the target opens: a returning source appends its tail within 0.14 s otherwise, behind
 * the new writes. A worker that refuses every connection copies nothing either: its goal stays, and the worker that comes
 * back is stopped at the next probe. A silent one may still copy, so a stop that cannot be proved ends the saga: this is
 * the one effect that a switch must not do without.
 */
export const stopReplication: Step = {
  name: 'stop-replication',
  async run(ctx, signal): Promise<StepResult> {
    const { source, target } = ctx.saga;
    const goal = flowGoal(ctx, source, target, 'stopped');
    if (goal === null) return { evidence: { summary: `no flow ${source}→${target} is configured`, stopped: true } };
    await ctx.setGoals([goal]);
    const flow = watchFlow(ctx, source, target);
    const status = await pollUntil(ctx, signal, () => {
      flow.look();
      return reachedStatus(ctx, goal) ?? standIn(ctx, goal);
    });
    if (status?.observed === 'refused') {
      const summary = `worker attested down, goal pending: ${goalKey(goal)} ${goal.state}`;
      return { evidence: { summary, stopped: false, pending: goalKey(goal), detail: status.detail } };
    }
    if (status !== null) return { evidence: { summary: status.detail || 'stopped, no tasks', stopped: true } };
    const last = ctx.gateway.goalStatus(goalKey(goal));
    throw flow.failure(`the flow ${source}→${target} could not be proved stopped`, {
      observed: last?.observed ?? 'unknown',
      detail: last?.detail ?? 'no agent reported',
    });
  },
  async undo(ctx, signal): Promise<StepResult> {
    const { source, target } = ctx.saga;
    const goal = flowGoal(ctx, source, target, 'running');
    if (goal === null) return { evidence: { summary: 'nothing was stopped' } };
    const evidence = await takeBack(ctx, goal, signal);
    return { evidence: { ...evidence, ...failureEvidence(failuresIn(ctx.evaluate().snapshot, source, target)) } };
  },
};

/** Not for a planned switch: there the way back starts at once, and a worker that returns with the old way is a loop. */
const standIn = (ctx: StepContext, goal: FlowGoal): GoalStatus | null =>
  ctx.plan.needsSource ? null : refusedStatus(ctx, goal);
