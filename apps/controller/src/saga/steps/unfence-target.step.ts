import { clusterGoal, pollUntil, reachedStatus, takeBack } from '../agent-calls.js';
import { writeCheck } from '../write-check.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/** The target takes ordinary writes (I40). A standby that nobody fenced passes; one that is fenced is opened and proved. */
export const unfenceTarget: Step = {
  name: 'unfence-target',
  async run(ctx, signal): Promise<StepResult> {
    if (!wasFenced(ctx)) return { evidence: { summary: `${ctx.saga.target} was not fenced`, opened: false } };
    const goal = clusterGoal(ctx, ctx.saga.target, 'open');
    await ctx.setGoals([goal]);
    const opened = await pollUntil(ctx, signal, async () => {
      if (reachedStatus(ctx, goal) === null) return null;
      const written = await writeCheck(ctx, ctx.saga.target, signal);
      return written.ok && written.output.accepted ? true : null;
    });
    if (opened !== null) return { evidence: { summary: `${ctx.saga.target} is open`, opened: true } };
    throw new StepFailure('FAILED', `${ctx.saga.target} could not be opened`);
  },
  async undo(ctx, signal): Promise<StepResult> {
    const opened = ctx.saga.journal.some(
      (e) => e.step === 'unfence-target' && e.event === 'done' && saysOpened(e.evidence),
    );
    if (!opened && !wasFenced(ctx)) return { evidence: { summary: 'nothing was opened' } };
    return { evidence: await takeBack(ctx, clusterGoal(ctx, ctx.saga.target, 'fenced'), signal) };
  },
};

const saysOpened = (evidence: unknown): boolean =>
  typeof evidence === 'object' && evidence !== null && 'opened' in evidence && evidence.opened === true;

const wasFenced = (ctx: StepContext): boolean =>
  ctx
    .evaluate()
    .snapshot.fences.some((f) => f.cluster === ctx.saga.target && (f.state === 'fenced' || f.state === 'partial'));
