import type { RejoinOrder } from '#failover';
import { ask, clusterGoal, flowGoal, pollUntil, positionKey, reachedStatus, takeBack } from '../agent-calls.js';
import { exchangeFence } from '../steps/exchange-fence.step.js';
import { rememberPlanned } from '../steps/remember-switch.step.js';
import { reverseFlow } from '../steps/reverse-flow.step.js';
import { StepFailure, type Step, type StepContext, type StepResult } from '../steps/step.js';
import {
  carryOn,
  lastSwitch,
  proofEvidence,
  proveReturned,
  rangesOf,
  readReturned,
  reportReturned,
  tailEvidence,
  type Switch,
} from './returned.js';

/** Closed by its standing goal, nothing replicates, and its logs stand still; E_a goes into the ledger. */
export const checkReturned: Step = {
  name: 'check-returned',
  async run(ctx, signal): Promise<StepResult> {
    const { source: active, target: old } = ctx.saga;
    await mustHold(ctx, signal);
    const seen = await readReturned(ctx, await switchOf(ctx), signal);
    return {
      evidence: { summary: `${old} is closed and stands still on ${seen.rows.length} partitions; ${active} is active` },
      commit: (tx) => tx.saveLedger(seen.rows),
    };
  },
};

/** The goals that the switch left: old side closed, both flows stopped. Set anew with this saga's epoch, then read back. */
async function mustHold(ctx: StepContext, signal: AbortSignal): Promise<void> {
  const { source: active, target: old } = ctx.saga;
  const running = flowGoal(ctx, active, old, 'running');
  const known = await ctx.goals();
  const begun =
    running !== null &&
    known.some((g) => g.subject === 'flow' && g.to === old && g.state === 'running' && g.epoch === ctx.epoch);
  if (begun) return; // a later step has started the way back: its own goals hold now
  const flows = [flowGoal(ctx, old, active, 'stopped'), flowGoal(ctx, active, old, 'stopped')];
  const exchanged = known.some((g) => g.subject === 'cluster' && g.cluster === old && g.epoch === ctx.epoch);
  const goals = [...(exchanged ? [] : [clusterGoal(ctx, old, 'fenced')]), ...flows.filter((f) => f !== null)];
  await ctx.setGoals(goals);
  const held = await pollUntil(ctx, signal, () => goals.every((g) => reachedStatus(ctx, g) !== null) || null);
  if (held === null) {
    throw new StepFailure('FAILED', `${old} is not closed, or a flow could not be proved stopped: see the goals`);
  }
}

export const proveSeamStep: Step = {
  name: 'prove-seam',
  async run(ctx, signal): Promise<StepResult> {
    const proof = await proveReturned(ctx, await switchOf(ctx), signal);
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
      const { written, present, place, agent } = await carryOn(ctx, from, body, signal);
      const summary = `${written} records exported to ${place}, ${present} were there`;
      return { evidence: { summary, choice, written, present, place, agent } };
    }
    if (choice === 'replay') {
      const since = of.rows.map((row) => ({ topic: row.topic, partition: row.partition, offset: row.s }));
      const body = { kind: 'replay_tail', from, to, ranges, since, strategy, priority } as const;
      const { written, merged, kept, present } = await carryOn(ctx, from, body, signal);
      const summary = `${written} records replayed, ${merged} merged, ${kept} left out, ${present} were there`;
      return { evidence: { summary, choice, strategy, written, merged, kept, present } };
    }
    const says = { accept: `the tail stays on ${from} only`, rebuild: 'not done by Pointsman' } as const;
    if (choice === 'rebuild') throw new StepFailure('ABORTED', `rebuild of ${from} is done by hand: docs/rebuild.md`);
    return { evidence: { summary: says[choice], choice } };
  },
};

/** The same as after a planned switch, seen from there: the old side is what it led away from. */
const homeward = (ctx: StepContext): StepContext => ({
  ...ctx,
  saga: { ...ctx.saga, source: ctx.saga.target, target: ctx.saga.source },
  ledger: async () => (await switchOf(ctx)).rows,
});

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
    await mustStillHold(ctx, await switchOf(ctx), signal);
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
  throw new StepFailure('ABORTED', `${of.to} does not keep ${which} from S on any more: rebuild ${of.from} by hand`);
}

export const rememberReturned: Step = {
  name: 'remember',
  run: (ctx, signal) => rememberPlanned.run(homeward(ctx), signal),
};

async function switchOf(ctx: StepContext): Promise<Switch> {
  const { source: active, target: old } = ctx.saga;
  const found = lastSwitch(await ctx.switches(), old, active);
  if (found === null) throw new StepFailure('ABORTED', `the ledger holds no switch from ${old} to ${active}`);
  return found;
}

function orderOf(ctx: StepContext): RejoinOrder {
  const order = ctx.request?.rejoin;
  if (order === undefined) throw new Error(`saga ${ctx.saga.id} does not say what was chosen`);
  return order;
}
