import { KINDS_BESIDE_A_FLOW, type ClusterGoal, type FenceKind } from '#failover';
import { clusterGoal, pollUntil, reachedStatus, takeBack } from '../agent-calls.js';
import { writeCheck } from '../write-check.js';
import { asLeft } from './exchange-fence.step.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/** The target takes ordinary writes (I40). A standby that nobody fenced passes; one that is fenced is opened and proved. */
export const unfenceTarget: Step = {
  name: 'unfence-target',
  async run(ctx, signal): Promise<StepResult> {
    const kind = fenceInForce(ctx);
    if (kind === null && !(await isToBeFenced(ctx))) {
      return { evidence: { summary: `${ctx.saga.target} was not fenced`, opened: false } };
    }
    const goal = clusterGoal(ctx, ctx.saga.target, 'open');
    await ctx.setGoals([goal]);
    const opened = await pollUntil(ctx, signal, async () => {
      if (reachedStatus(ctx, goal) === null) return null;
      const written = await writeCheck(ctx, ctx.saga.target, signal);
      return written.ok && written.output.accepted ? true : null;
    });
    if (opened !== null) return { evidence: { summary: `${ctx.saga.target} is open`, opened: true, kind } };
    throw new StepFailure('FAILED', `${ctx.saga.target} could not be opened`);
  },
  async undo(ctx, signal): Promise<StepResult> {
    const before = ctx.saga.journal.findLast(
      (e) => e.step === 'unfence-target' && e.direction === 'do' && e.event === 'done',
    );
    const opened = saysOpened(before?.evidence);
    if (!opened && fenceInForce(ctx) === null) return { evidence: { summary: 'nothing was opened' } };
    return { evidence: await takeBack(ctx, await closedAgain(ctx, before?.evidence), signal) };
  },
};

/**
 * As it was closed before: by topic configuration only if it was so, for MirrorMaker writes here again afterwards; one that was
 * left in an earlier switch refuses its consumer groups again.
 */
async function closedAgain(ctx: StepContext, before: unknown): Promise<ClusterGoal> {
  const goal = clusterGoal(ctx, ctx.saga.target, 'fenced');
  const byTopics = typeof before === 'object' && before !== null && 'kind' in before && before.kind === 'topic-config';
  if (byTopics) return goal;
  const wasLeft = (await ctx.switches()).length > 0;
  return { ...goal, ...(wasLeft ? asLeft(ctx) : { kinds: KINDS_BESIDE_A_FLOW }) };
}

const saysOpened = (evidence: unknown): boolean =>
  typeof evidence === 'object' && evidence !== null && 'opened' in evidence && evidence.opened === true;

/** Null: no agent saw a fence on the target. */
function fenceInForce(ctx: StepContext): FenceKind | null {
  const seen = ctx.evaluate().snapshot.fences.find((f) => f.cluster === ctx.saga.target);
  return seen?.state === 'fenced' || seen?.state === 'partial' ? (seen.kind ?? 'topic-config') : null;
}

/** A goal that no agent has read back yet would close the target behind our back. */
const isToBeFenced = async (ctx: StepContext): Promise<boolean> =>
  (await ctx.goals()).some((g) => g.subject === 'cluster' && g.cluster === ctx.saga.target && g.state === 'fenced');
