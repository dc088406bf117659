import type { JournalEntry, RejoinOrder, SagaRecord } from '#failover';
import { ask, clusterGoal, flowGoal, pollUntil, positionKey, takeBack } from '../agent-calls.js';
import type { Switch } from '../present-switch.js';
import { exchangeFence } from '../steps/exchange-fence.step.js';
import { rememberPlanned } from '../steps/remember-switch.step.js';
import { reverseFlow } from '../steps/reverse-flow.step.js';
import { StepFailure, type Step, type StepContext, type StepResult } from '../steps/step.js';
import { homeward, mustHold, switchOf, wayBackBegun } from './old-side.js';
import {
  carryOn,
  mustBeWhole,
  proofEvidence,
  proveReturned,
  rangesOf,
  readReturned,
  reportReturned,
  tailEvidence,
  WORK_LEFT_MS,
} from './returned.js';

/** Closed by its standing goal, nothing replicates, and its logs stand still; E_a goes into the ledger. */
export const checkReturned: Step = {
  name: 'check-returned',
  async run(ctx, signal): Promise<StepResult> {
    const { source: active, target: old } = ctx.saga;
    if (await wayBackBegun(ctx)) {
      return { evidence: { summary: `${active}→${old} was started by this saga: E_a stands as it was read before` } };
    }
    await mustHold(ctx, signal);
    const seen = mustBeWhole(await readReturned(ctx, await switchOf(ctx), signal));
    return {
      evidence: { summary: `${old} is closed and stands still on ${seen.rows.length} partitions; ${active} is active` },
      commit: (tx) => tx.saveLedger(seen.rows),
    };
  },
};

export const proveSeamStep: Step = {
  name: 'prove-seam',
  async run(ctx, signal): Promise<StepResult> {
    const proof = await proveReturned(ctx, { ...(await switchOf(ctx)), missing: [] }, signal);
    const { choice } = orderOf(ctx);
    const evidence = proofEvidence(proof);
    if (!proof.offered.choices.includes(choice)) {
      const why = proof.offered.reasons.slice(0, 3).join('; ');
      throw new StepFailure(
        'ABORTED',
        `${choice} is not offered, only ${proof.offered.choices.join(', ')}: ${why}`,
        evidence,
      );
    }
    return {
      evidence: { summary: `the seam is proved on ${proof.findings.length} partitions`, ...evidence },
      commit: (tx) => tx.saveLedger(proof.of.rows),
    };
  },
};

export const reportTailStep: Step = {
  name: 'report-tail',
  async run(ctx, signal): Promise<StepResult> {
    const tail = await reportReturned(ctx, await switchOf(ctx), await ctx.history(), signal);
    return { evidence: { summary: tail.loss.says, ...tailEvidence(tail) } };
  },
};

export const carryOutChoice: Step = {
  name: 'carry-out-choice',
  async run(ctx, signal): Promise<StepResult> {
    const of = await switchOf(ctx);
    const { choice, destination, strategy, priority } = orderOf(ctx);
    const ranges = rangesOf(of);
    const { from, to } = of;
    if (choice === 'export') {
      const body = { kind: 'export_tail', from, to, ranges, destination } as const;
      const { written, present, place, agent } = await carryOn(ctx, from, body, signal, await mayBeAtWork(ctx));
      const summary = `${written} records exported to ${place}, ${present} were there`;
      return { evidence: { summary, choice, written, present, place, agent } };
    }
    if (choice === 'replay') {
      const since = of.rows.map((row) => ({ topic: row.topic, partition: row.partition, offset: row.s }));
      const body = { kind: 'replay_tail', from, to, ranges, since, strategy, priority } as const;
      const { written, merged, kept, present } = await carryOn(ctx, from, body, signal, await mayBeAtWork(ctx));
      const summary = `${written} records replayed, ${merged} merged, ${kept} left out, ${present} were there`;
      return { evidence: { summary, choice, strategy, written, merged, kept, present } };
    }
    if (choice === 'rebuild') throw new Error('a rebuild is a saga of a kind of its own');
    return { evidence: { summary: `the tail stays on ${from} only`, choice } };
  },
};

/** Another leader, or a rejoin that was given up a moment ago, may have left the work with an agent that nobody here knows. */
async function mayBeAtWork(ctx: StepContext): Promise<boolean> {
  const ofChoice = ({ journal }: SagaRecord, event: JournalEntry['event']): number =>
    journal.filter((e) => e.step === 'carry-out-choice' && e.direction === 'do' && e.event === event).length;
  if (ofChoice(ctx.saga, 'intent') > 1) return true;
  const sinceMs = ctx.time.wallMs() - 2 * WORK_LEFT_MS; // by another controller's clock
  const left = (await ctx.history()).filter(
    (saga) => saga.id !== ctx.saga.id && ofChoice(saga, 'intent') > 0 && ofChoice(saga, 'done') === 0,
  );
  return left.some(({ closedAt }) => closedAt === null || Date.parse(closedAt) > sinceMs);
}

export const exchangeReturned: Step = {
  name: 'exchange-fence',
  run: (ctx, signal) => exchangeFence.run(homeward(ctx), signal),
  async undo(ctx, signal): Promise<StepResult> {
    return { evidence: await takeBack(ctx, clusterGoal(ctx, ctx.saga.target, 'fenced'), signal) };
  },
};

export const reverseReturned: Step = {
  name: 'reverse',
  async run(ctx, signal): Promise<StepResult> {
    if (!(await wayBackBegun(ctx))) await mustStillHold(ctx, await switchOf(ctx), signal);
    return await reverseFlow.run(homeward(ctx), signal);
  },
  async undo(ctx, signal): Promise<StepResult> {
    const goal = flowGoal(ctx, ctx.saga.source, ctx.saga.target, 'stopped');
    if (goal === null) return { evidence: { summary: 'no such flow' } };
    return { evidence: await takeBack(ctx, goal, signal) };
  },
};

/** Retention goes on: what it took beyond S cannot travel back, and the gap would be silent. */
async function mustStillHold(ctx: StepContext, of: Switch, signal: AbortSignal): Promise<void> {
  const topics = [...new Set(of.rows.map((row) => row.topic))];
  let problem = '';
  const starts = await pollUntil(ctx, signal, async () => {
    const answer = await ask(ctx, of.to, { kind: 'read_end_offsets', cluster: of.to, topics }, signal);
    if (!answer.ok) problem = answer.detail;
    return answer.ok ? new Map(answer.output.starts.map((o) => [positionKey(o), o.offset])) : null;
  });
  if (starts === null) throw new StepFailure('FAILED', `the start of ${of.to} could not be read: ${problem}`);
  const lost = of.rows.filter((row) => (starts.get(positionKey(row)) ?? 0) > row.s);
  if (lost.length === 0) return;
  const which = lost.slice(0, 3).map(positionKey).join(', ');
  throw new StepFailure('ABORTED', `${of.to} does not keep ${which} from S on any more: rejoin with --choice rebuild`);
}

export const rememberReturned: Step = {
  name: 'remember',
  run: (ctx, signal) => rememberPlanned.run(homeward(ctx), signal),
};

function orderOf(ctx: StepContext): RejoinOrder {
  const order = ctx.request?.rejoin;
  if (order === undefined) throw new Error(`saga ${ctx.saga.id} does not say what was chosen`);
  return order;
}
