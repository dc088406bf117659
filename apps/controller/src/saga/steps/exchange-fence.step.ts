import { isAllowed, KINDS_BESIDE_A_FLOW, type ClusterGoal, type GoalStatus } from '#failover';
import { clusterGoal, pollUntil, reachedStatus } from '../agent-calls.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * The old side stays closed to applications while it is fed from the new one. A fence by topic configuration would stop
 * MirrorMaker too, so it gives way to an ACL or the hook; where neither is to be had, a person has accepted beforehand that
 * the old side is open. Its consumer groups are refused there where that is possible: who follows no pointer would read copies on,
 * and commit positions that nobody takes along. A group that cannot be refused is said, and holds up nothing.
 */
export const exchangeFence: Step = {
  name: 'exchange-fence',
  async run(ctx, signal): Promise<StepResult> {
    const goal = standingFence(ctx);
    await ctx.setGoals([goal]);
    const startedAtMs = ctx.time.monotonicMs();
    const status = await pollUntil(ctx, signal, () => {
      const reached = reachedStatus(ctx, goal);
      // Until the agent has taken this goal, what it says is about the fence before: closed, but by another kind.
      if (reached === null || (reached.kind !== undefined && !isAllowed(goal, reached.kind))) return null;
      const waitedMs = ctx.time.monotonicMs() - startedAtMs;
      return toRefuse(goal, reached).length === 0 || waitedMs >= ctx.times.refuseReadersMs ? reached : null;
    });
    const { source } = ctx.saga;
    if (status === null) {
      const last = ctx.gateway.goalStatus(`${ctx.saga.group}/cluster/${source}`);
      throw new StepFailure(
        'FAILED',
        `the fence of ${source} was not exchanged: ${last?.detail ?? 'no agent reported'}`,
      );
    }
    const kind = goal.state === 'open' ? 'none' : (status.kind ?? 'acl');
    const readers = readersEvidence(goal, status);
    const accepted = `${source} stays open to applications, as ${ctx.request?.by ?? 'nobody'} accepted`;
    return {
      evidence: {
        summary: goal.state === 'open' ? accepted : [`${source} is closed by ${kind}`, ...readers.says].join('; '),
        kind,
        state: goal.state,
        ...(goal.state === 'open' ? {} : { refusedGroups: readers.refused, detail: status.detail }),
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
  return { ...clusterGoal(ctx, ctx.saga.source, 'fenced'), ...asLeft(ctx) };
}

/** How a side is closed that was active before: MirrorMaker may write there, and its consumer groups are refused. */
export function asLeft({ group }: Pick<StepContext, 'group'>): Pick<ClusterGoal, 'kinds' | 'deniedGroups'> {
  const { consumerGroups } = group.watch;
  return { kinds: KINDS_BESIDE_A_FLOW, ...(consumerGroups.length === 0 ? {} : { deniedGroups: consumerGroups }) };
}

/** Consumer groups that the goal wants refused and that nobody has read back as such. The hook closes what it closes. */
const toRefuse = ({ deniedGroups = [] }: ClusterGoal, status: GoalStatus): readonly string[] =>
  status.kind === 'hook' ? [] : deniedGroups.filter((g) => status.deniedGroups?.includes(g) !== true);

function readersEvidence(goal: ClusterGoal, { deniedGroups = [] }: GoalStatus) {
  const wanted = goal.deniedGroups ?? [];
  const refused = wanted.filter((g) => deniedGroups.includes(g));
  const open = wanted.filter((g) => !deniedGroups.includes(g));
  const says = [
    ...(refused.length === 0 ? [] : [`consumer groups refused there: ${refused.join(', ')}`]),
    ...(open.length === 0 ? [] : [`not refused: ${open.join(', ')}`]),
  ];
  return { refused, says };
}
