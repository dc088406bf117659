import type { ClusterGoal } from '#failover';
import { clusterGoal, pollUntil, reachedStatus } from '../agent-calls.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * The old side stays closed to applications while it is fed from the new one. A fence by topic configuration would stop
 * MirrorMaker too, so it gives way to an ACL or the hook; where neither is to be had, a person has accepted beforehand that
 * the old side is open.
 */
export const exchangeFence: Step = {
  name: 'exchange-fence',
  async run(ctx, signal): Promise<StepResult> {
    const goal = standingFence(ctx);
    await ctx.setGoals([goal]);
    const status = await pollUntil(ctx, signal, () => reachedStatus(ctx, goal));
    const { source } = ctx.saga;
    if (status === null) {
      const last = ctx.gateway.goalStatus(`${ctx.saga.group}/cluster/${source}`);
      throw new StepFailure(
        'FAILED',
        `the fence of ${source} was not exchanged: ${last?.detail ?? 'no agent reported'}`,
      );
    }
    const kind = goal.state === 'open' ? 'none' : (status.kind ?? 'acl');
    const accepted = `${source} stays open to applications, as ${ctx.request?.by ?? 'nobody'} accepted`;
    return {
      evidence: {
        summary: goal.state === 'open' ? accepted : `${source} is closed by ${kind}`,
        kind,
        state: goal.state,
      },
    };
  },
};

/** The goal that stands for the old side as long as it is the standby: the same for every leader. */
export function standingFence(ctx: StepContext): ClusterGoal {
  const { snapshot } = ctx.evaluate();
  const offers = snapshot.clusterSettings[ctx.saga.source]?.fencing?.offers ?? [];
  const closable = offers.some((o) => o.usable && o.kind !== 'topic-config');
  if (!closable && ctx.request?.acceptUnfencedSource === true) return clusterGoal(ctx, ctx.saga.source, 'open');
  return { ...clusterGoal(ctx, ctx.saga.source, 'fenced'), kinds: ['acl', 'hook'] };
}
