import { type FlowGoal, goalKey, type Goal } from '#failover';
import { ask, flowGoal, lastWord, pollUntil, reachedStatus } from '../agent-calls.js';
import { evidenceOf, textOf } from '../saga-journal.js';
import { watchFlow } from './flow-failures.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * The flow back: target → source, from S on, so that only new records travel. It is seeded once, while it is stopped; a later
 * leader that finds this saga's goal "running" knows that the seed was read back before, and must not seed again: the flow
 * would copy what it has copied.
 */
export const reverseFlow: Step = {
  name: 'reverse',
  async run(ctx, signal): Promise<StepResult> {
    const { source, target } = ctx.saga;
    const running = flowGoal(ctx, target, source, 'running');
    const away = flowGoal(ctx, source, target, 'stopped');
    if (running === null || away === null) throw new StepFailure('FAILED', `no flow ${target}→${source} is configured`);
    mustBeFeedable(ctx);
    const summary = isOurs(ctx, await ctx.goals(), running) ? 'seeded before' : await seed(ctx, signal);
    await ctx.setGoals([away, running]);
    const flow = watchFlow(ctx, target, source);
    let sinceMs: number | null = null;
    const status = await pollUntil(ctx, signal, () => {
      const failed = flow.look();
      const reached = failed ? null : reachedStatus(ctx, running);
      if (reached === null) flow.mustRecover(stands(ctx, running, 'does not run'));
      const nowMs = ctx.time.monotonicMs();
      sinceMs = reached === null ? null : (sinceMs ?? nowMs);
      return sinceMs !== null && nowMs - sinceMs >= ctx.times.flowHoldsMs ? reached : null;
    });
    if (status === null) throw flow.failure(stands(ctx, running, 'does not run'));
    return {
      evidence: { summary: `${target}→${source} runs; ${summary}`, detail: status.detail },
      commit: async (tx) => {
        const row = await tx.group(ctx.saga.group);
        if (row !== null) await tx.saveGroup({ ...row, rejoin: row.rejoin.filter((name) => name !== source) });
      },
    };
  },
};

/** A flow into a cluster that refuses MirrorMaker's writes would fail at once: say why instead. */
function mustBeFeedable(ctx: StepContext): void {
  const state = textOf(evidenceOf(ctx.saga, 'exchange-fence'), 'state');
  if (state === null) {
    throw new StepFailure(
      'FAILED',
      `the fence of ${ctx.saga.source} was not exchanged: MirrorMaker may not write there`,
    );
  }
}

const stands = (ctx: StepContext, goal: FlowGoal, how: string): string =>
  `the flow ${goal.from}→${goal.to} ${how}: ${lastWord(ctx, goal)}`;

const isOurs = (ctx: StepContext, goals: readonly Goal[], running: Goal): boolean =>
  goals.some((g) => goalKey(g) === goalKey(running) && g.state === 'running' && g.epoch === ctx.epoch);

/** Stopped (read back), told where to begin (read back). What was done, in words. */
async function seed(ctx: StepContext, signal: AbortSignal): Promise<string> {
  const { source, target } = ctx.saga;
  const stopped = flowGoal(ctx, target, source, 'stopped');
  if (stopped === null) throw new Error(`no flow ${target}→${source} is configured`);
  await ctx.setGoals([stopped]);
  const flow = watchFlow(ctx, target, source);
  const standing = await pollUntil(ctx, signal, () => {
    flow.look(); // what has failed can be stopped nevertheless
    return reachedStatus(ctx, stopped);
  });
  if (standing === null) throw flow.failure(stands(ctx, stopped, 'could not be proved stopped'));
  const positions = (await ctx.ledger()).map(({ topic, partition, s }) => ({ topic, partition, offset: s }));
  if (positions.length === 0)
    throw new StepFailure('FAILED', 'the ledger holds no positions: an unseeded flow copies all history');
  const { connectors } = stopped;
  const body = { kind: 'seed_flow', from: target, to: source, connectors, positions } as const;
  let problem = 'not tried';
  const seeded = await pollUntil(ctx, signal, async () => {
    const answer = await ask(ctx, source, body, signal);
    if (answer.ok && answer.output.outcome === 'seeded') return answer.output;
    problem = answer.ok ? `${answer.output.outcome}: ${answer.output.detail}` : answer.detail;
    return null;
  });
  if (seeded === null) throw new StepFailure('FAILED', `the flow ${target}→${source} was not seeded: ${problem}`);
  const fromStart = positions.every((p) => p.offset === 0);
  return fromStart
    ? `no stored offset on ${seeded.equal} partitions, read back: it copies from the start of ${target}`
    : `seeded at S − 1 on ${seeded.equal} partitions, read back`;
}
