import {
  judgeLag,
  type CommandBody,
  type FormerTopic,
  type Json,
  type RebuildCommand,
  type RebuildOutput,
  type TopicPartition,
} from '#failover';
import type { LedgerRow } from '../../persistence/authority-store.port.js';
import { ask, byPartition, flowGoal, pollUntil, positionKey } from '../agent-calls.js';
import { evidenceOf, textOf, valueOf } from '../saga-journal.js';
import { rememberPlanned } from '../steps/remember-switch.step.js';
import { reverseFlow } from '../steps/reverse-flow.step.js';
import { StepFailure, type Step, type StepContext, type StepResult, type StepSet } from '../steps/step.js';
import { homeward, mustHold, wayBackBegun } from './old-side.js';
import { rebuildBegunBefore } from './rebuild-begun.js';
import { exchangeReturned, reverseReturned } from './rejoin-steps.js';
import { proofEvidence, proveReturned, readReturned, reportReturned, tailEvidence } from './returned.js';

const MAX_LISTED = 20;
const NOTE_EVERY_MS = 5_000;

const checkClosed: Step = {
  name: 'check-returned',
  async run(ctx, signal): Promise<StepResult> {
    const { source: active, target: old } = ctx.saga;
    if (await wayBackBegun(ctx)) return { evidence: { summary: `${active}→${old} was started by this saga` } };
    await mustHold(ctx, signal);
    return { evidence: { summary: `${old} is closed, nothing replicates; ${active} is active` } };
  },
};

/** Written once, before anything is deleted: the ids say for ever which life of a topic is the old one. */
const listTopics: Step = {
  name: 'list-topics',
  async run(ctx, signal): Promise<StepResult> {
    const { source: active, target: old } = ctx.saga;
    const [wanted, there] = [await described(ctx, active, signal), await described(ctx, old, signal)];
    if (wanted.length === 0) throw new StepFailure('ABORTED', `${active} has none of the group's topics`);
    await mustBeUnread(ctx, signal);
    const ids = new Map(there.map((t) => [t.topic, t.id]));
    const topics = wanted.map(({ topic }) => ({ topic, id: ids.get(topic) ?? null }));
    const names = new Set(wanted.map((t) => t.topic));
    const left = there.flatMap((t) => (names.has(t.topic) ? [] : [t.topic]));
    const kept = left.length === 0 ? '' : `; left as they are, for ${active} has none: ${listed(left)}`;
    const summary = `${topics.length} topics of ${old} are made anew: ${listed([...names])}${kept}`;
    return { evidence: { summary, topics, left: left.slice(0, MAX_LISTED) } };
  },
};

async function described(ctx: StepContext, cluster: string, signal: AbortSignal) {
  const body = { kind: 'describe_topics', cluster, topics: ctx.group.watch.topics } as const;
  const answer = await insist(ctx, cluster, body, signal);
  return answer.topics;
}

/** A consumer would go on at offsets of the old life, and its commits could not be removed. */
async function mustBeUnread(ctx: StepContext, signal: AbortSignal): Promise<void> {
  const { target: cluster } = ctx.saga;
  const { topics, consumerGroups: groups } = ctx.group.watch;
  const { states } = await insist(ctx, cluster, { kind: 'read_group_offsets', cluster, groups, topics }, signal);
  const active = groups.filter((g) => states[g] === 'STABLE' || states[g] === 'REBALANCING');
  if (active.length === 0) return;
  throw new StepFailure(
    'ABORTED',
    `${listed(active)} still read${active.length === 1 ? 's' : ''} on ${cluster}: stop them`,
  );
}

/** Told once more, and counted anew, right before it is gone. What cannot be told apart from copies is said to be so. */
const reportLost: Step = {
  name: 'report-tail',
  async run(ctx, signal): Promise<StepResult> {
    const { source: active, target: old } = ctx.saga;
    const of = await ctx.switchAway();
    if (of === null) {
      const summary = `the ledger does not hold the switch from ${old} to ${active}: nobody can say what only ${old} held`;
      return { evidence: { summary, records: null } };
    }
    const history = await ctx.history();
    if (rebuildBegunBefore(history, of, ctx.saga.id)) {
      return { evidence: { summary: 'told before the rebuild that did not end; what is there now are copies' } };
    }
    const proof = await proveReturned(ctx, await readReturned(ctx, of, signal), signal);
    if (!proof.offered.choices.includes('accept')) {
      const summary = `not to be told apart from copies: ${proof.offered.reasons[0] ?? ''}`;
      return { evidence: { summary, records: null, ...proofEvidence(proof) } };
    }
    const tail = await reportReturned(ctx, proof.of, history, signal);
    return { evidence: { summary: `${tail.loss.says}; gone with the topics`, ...tailEvidence(tail) } };
  },
};

const remakeTopics: Step = {
  name: 'remake-topics',
  async run(ctx, signal): Promise<StepResult> {
    const { source: active, target: old, group } = ctx.saga;
    if (await wayBackBegun(ctx)) return { evidence: { summary: 'made anew before; they are being filled' } };
    const { consumerGroups } = ctx.group.watch;
    const topics = formerTopics(ctx);
    const body = { kind: 'remake_topics', like: active, to: old, topics, consumerGroups } as const;
    const { partitions } = await remade(ctx, body, signal);
    const rows = await newLife(ctx, partitions, signal);
    return {
      evidence: {
        summary: `${topics.length} topics with ${partitions.length} partitions made anew on ${old}, empty`,
        group,
        partitions: partitions.length,
      },
      commit: (tx) => tx.saveLedger(rows),
    };
  },
};

const formerTopics = (ctx: StepContext): readonly FormerTopic[] => {
  const written = valueOf(evidenceOf(ctx.saga, 'list-topics'), 'topics');
  if (!Array.isArray(written)) throw new Error(`saga ${ctx.saga.id} does not say which topics it makes anew`);
  return written.map((t: Json) => ({ topic: textOf(t, 'topic') ?? '', id: textOf(t, 'id') }));
};

/** One agent, the cluster's own, a slice at a time: nothing is deleted behind an answer, so an abort ends it. */
async function remade(
  ctx: StepContext,
  body: Extract<RebuildCommand, { kind: 'remake_topics' }>,
  signal: AbortSignal,
): Promise<Extract<RebuildOutput, { kind: 'topics_remade' }>> {
  const told = progressNotes(ctx);
  let problem = 'not asked';
  const done = await pollUntil(ctx, signal, async () => {
    const answer = await ask(ctx, body.to, body, signal, ctx.gateway.agentsFor(body.to).slice(0, 1));
    if (!answer.ok) {
      problem = answer.detail;
      return null;
    }
    const { progress, obstacles } = answer.output;
    if (obstacles.length > 0) throw new StepFailure('FAILED', obstacles.join('; '), { obstacles: [...obstacles] });
    if (progress.finished) return answer.output;
    problem = `${progress.done} of ${progress.total} topics so far`;
    await told(`rebuild of ${body.to}: ${problem}`);
    return null;
  });
  if (done === null) throw new StepFailure('FAILED', `topics of ${body.to} are not made anew: ${problem}; ask again`);
  return done;
}

/**
 * As if the old side had been left in this moment with nothing in it: what the active cluster holds from its start on has to
 * travel (S), and nothing of the new log was ever copied the other way (N, E_a). Older rows speak of logs that are gone.
 */
async function newLife(
  ctx: StepContext,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<readonly LedgerRow[]> {
  const { source: active, target: old, group, epoch } = ctx.saga;
  const topics = [...new Set(partitions.map((p) => p.topic))];
  const { starts } = await insist(ctx, active, { kind: 'read_end_offsets', cluster: active, topics }, signal);
  const startOf = byPartition(starts);
  return partitions.map(({ topic, partition }) => ({
    ...{ group, epoch, from: old, to: active, topic, partition },
    ...{ s: startOf.get(positionKey({ topic, partition })) ?? 0, n: -1, sourceEnd: 0, sourceEndAgeMs: 0 },
  }));
}

/** Without a stored offset a flow begins at its source's start, wherever retention has moved that meanwhile. */
const reverseFromStart: Step = {
  ...reverseReturned,
  async run(ctx, signal): Promise<StepResult> {
    const rows = await ctx.ledger();
    return await reverseFlow.run(
      { ...homeward(ctx), ledger: async () => rows.map((row) => ({ ...row, s: 0 })) },
      signal,
    );
  },
};

/** By its own rows: the switch that left the old side may be in no ledger. */
const rememberRebuilt: Step = {
  name: 'remember',
  run: (ctx, signal) => rememberPlanned.run({ ...homeward(ctx), ledger: () => ctx.ledger() }, signal),
};

const followCopy: Step = {
  name: 'follow-copy',
  async run(ctx, signal): Promise<StepResult> {
    const { source: active, target: old } = ctx.saga;
    const told = progressNotes(ctx);
    let last: Json = { summary: 'not looked at' };
    const done = await pollUntil(ctx, signal, async () => {
      const look = await copied(ctx, signal);
      if (typeof look === 'string') {
        last = { summary: look };
        return null;
      }
      const { records, total } = look;
      const lag = { atMs: 0, records: total - records, ms: null, heartbeatAgeMs: null, endSum: null };
      const judged = judgeLag(lag, ctx.group.policy);
      last = { summary: `${records} of ${total} records copied, lag ${judged.text}`, records, total };
      if (!judged.over) return last;
      await told(`${active}→${old}: ${records} of ${total} records copied`);
      return null;
    });
    if (done !== null) return { evidence: done };
    const { summary } = last as { summary: string };
    throw new StepFailure('FAILED', `the copy goes on behind this saga: ${summary}; pointsman status shows its lag`);
  },
};

/** In offsets of the active cluster: markers and compacted records count, and end with it. A string: why nobody knows. */
async function copied(ctx: StepContext, signal: AbortSignal): Promise<{ records: number; total: number } | string> {
  const { source: from, target: to } = ctx.saga;
  const { topics } = ctx.group.watch;
  const flow = flowGoal(ctx, from, to, 'running');
  if (flow === null) return `no flow ${from}→${to} is configured`;
  const ends = await ask(ctx, from, { kind: 'read_end_offsets', cluster: from, topics }, signal);
  if (!ends.ok) return ends.detail;
  const { connectors } = flow;
  const at = await ask(ctx, to, { kind: 'read_replication_position', from, to, connectors, topics }, signal);
  if (!at.ok) return at.detail;
  const [starts, positions] = [byPartition(ends.output.starts), byPartition(at.output.positions)];
  let [records, total] = [0, 0];
  for (const end of ends.output.ends) {
    const start = starts.get(positionKey(end)) ?? 0;
    total += end.offset - start;
    records += Math.max(0, Math.min(end.offset, (positions.get(positionKey(end)) ?? -1) + 1) - start);
  }
  return { records, total };
}

/** A question that must be answered within the step's deadline. */
async function insist<B extends CommandBody>(ctx: StepContext, cluster: string, body: B, signal: AbortSignal) {
  let problem = 'not asked';
  const found = await pollUntil(ctx, signal, async () => {
    const answer = await ask(ctx, cluster, body, signal);
    if (!answer.ok) problem = answer.detail;
    return answer.ok ? answer.output : null;
  });
  if (found === null) throw new StepFailure('FAILED', `${body.kind} of ${cluster}: ${problem}`);
  return found;
}

function progressNotes(ctx: StepContext): (summary: string) => Promise<void> {
  let notBeforeMs = ctx.time.monotonicMs() + NOTE_EVERY_MS;
  let last = '';
  return async (summary) => {
    const nowMs = ctx.time.monotonicMs();
    if (summary === last || nowMs < notBeforeMs) return;
    [last, notBeforeMs] = [summary, nowMs + NOTE_EVERY_MS];
    await ctx.note(summary);
  };
}

const listed = (names: readonly string[]): string =>
  names.length <= MAX_LISTED
    ? names.join(', ')
    : `${names.slice(0, MAX_LISTED).join(', ')} and ${names.length - MAX_LISTED} more`;

export const REBUILD: StepSet = {
  'check-returned': checkClosed,
  'list-topics': listTopics,
  'report-tail': reportLost,
  'exchange-fence': exchangeReturned,
  'remake-topics': remakeTopics,
  reverse: reverseFromStart,
  remember: rememberRebuilt,
  'follow-copy': followCopy,
};
