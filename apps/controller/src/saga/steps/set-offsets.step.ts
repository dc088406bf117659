import type { ConsumerGroupState, Json, TranslatedOffset, TranslatedOutput } from '#failover';
import { ask, byPartition, pollUntil, positionKey } from '../agent-calls.js';
import { valueOf } from '../saga-journal.js';
import { type GroupOutcome, type Log, outcomeOf, placesEvidence, placesFor, topicTroubles } from './group-places.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * Every consumer group resumes as close to where it was as is safe: never past it, never past the end (I34). Its position
 * on the source is translated by the syncs that the agents keep; MM2's own value counts where that is closer, or where the
 * syncs cannot tell; else earliest, never latest. A group that already consumes on the target is left alone: its own
 * commits are newer than anything known here. MM2 never writes after this: its checkpoint connector is stopped.
 */
export const setOffsets: Step = {
  name: 'set-offsets',
  async run(ctx, signal): Promise<StepResult> {
    const { consumerGroups } = ctx.group.watch;
    if (consumerGroups.length === 0) return { evidence: { summary: 'no consumer groups are configured' } };
    const translated = await translation(ctx, signal);
    let problem = 'not tried';
    const results = await pollUntil(ctx, signal, async () => {
      const outcome = await setAll(ctx, translated, signal);
      if (!outcome.ok) problem = outcome.problem;
      return outcome.ok ? outcome.groups : null;
    });
    if (results === null)
      throw new StepFailure('FAILED', `consumer offsets on ${ctx.saga.target} are not set: ${problem}`);
    const troubles = translated.output === null ? [] : topicTroubles(translated.output.topics);
    const summary = [...results.map(tell), ...troubles, ...(translated.problem === null ? [] : [translated.problem])];
    return {
      evidence: { summary: summary.join('; '), groups: results, topics: troubles, syncs: syncsEvidence(translated) },
    };
  },
};

type GroupResult = Readonly<
  { group: string; state: string; outcome: GroupOutcome } & ReturnType<typeof placesEvidence>
>;
type Outcome = Readonly<{ ok: true; groups: readonly GroupResult[] }> | Readonly<{ ok: false; problem: string }>;
type Translated = Readonly<{ output: TranslatedOutput | null; problem: string | null }>;

const TRANSLATE_ATTEMPTS = 3;

/** Asked a few times only: without it MM2's own values count, as they would without this product. */
async function translation(ctx: StepContext, signal: AbortSignal): Promise<Translated> {
  const { source, target } = ctx.saga;
  const { topics, consumerGroups, flows } = ctx.group.watch;
  const flow = flows.find((f) => f.from === source && f.to === target);
  if (flow === undefined) return { output: null, problem: `no flow ${source} → ${target} is configured` };
  const { connectors, naming } = flow;
  const frozen = await frozenEnds(ctx);
  const body = {
    kind: 'translate_group_offsets',
    from: source,
    to: target,
    connectors,
    naming,
    consumerGroups,
    topics,
    frozen,
  } as const;
  let problem = '';
  for (let attempt = 1; attempt <= TRANSLATE_ATTEMPTS; attempt += 1) {
    const answer = await ask(ctx, target, body, signal);
    if (answer.ok) return { output: answer.output, problem: null };
    problem = answer.detail;
    await ctx.time.sleep(ctx.times.pollMs, signal);
  }
  return { output: null, problem: `positions were not translated: ${problem}` };
}

/** N and S count as the flow's end only where the worker itself said N of a flow that had stopped. */
async function frozenEnds(ctx: StepContext) {
  const final = ctx.saga.journal.some(
    (e) => e.step === 'freeze-position' && e.event === 'done' && valueOf(e.evidence, 'via') === 'connect',
  );
  const rows = final ? await ctx.ledger() : [];
  return rows.flatMap(({ topic, partition, n, s }) => (n === null ? [] : [{ topic, partition, n, s }]));
}

async function setAll(ctx: StepContext, translated: Translated, signal: AbortSignal): Promise<Outcome> {
  const cluster = ctx.saga.target;
  const { consumerGroups } = ctx.group.watch;
  const present = (translated.output?.topics ?? []).filter((t) => t.targetPartitions > 0).map((t) => t.topic);
  const topics = [...new Set([...ctx.group.watch.topics, ...present])];
  const log = await ask(ctx, cluster, { kind: 'read_end_offsets', cluster, topics }, signal);
  if (!log.ok) return { ok: false, problem: log.detail };
  const held = await ask(ctx, cluster, { kind: 'read_group_offsets', cluster, groups: consumerGroups, topics }, signal);
  if (!held.ok) return { ok: false, problem: held.detail };
  const bounds = { starts: log.output.starts, ends: byPartition(log.output.ends) };
  const groups: GroupResult[] = [];
  for (const group of consumerGroups) {
    const committed = byPartition(held.output.offsets.filter((o) => o.group === group));
    const state = held.output.states[group] ?? 'UNKNOWN';
    const own = (translated.output?.offsets ?? []).filter((o) => o.group === group);
    const known = new Map(own.map((o) => [positionKey(o), o]));
    const result = await setOne(ctx, { group, state, committed, known }, bounds, signal);
    if (typeof result === 'string') return { ok: false, problem: result };
    groups.push(result);
  }
  return { ok: true, groups };
}

type Held = Readonly<{
  group: string;
  state: ConsumerGroupState;
  committed: ReadonlyMap<string, number>;
  known: ReadonlyMap<string, TranslatedOffset>;
}>;

async function setOne(ctx: StepContext, held: Held, log: Log, signal: AbortSignal): Promise<GroupResult | string> {
  const { group, state, committed, known } = held;
  const plan = placesFor(log, committed, known);
  const outcome = outcomeOf(state, committed.size > 0 || known.size > 0);
  const result: GroupResult = { group, state, outcome, ...placesEvidence(plan) };
  if (plan.changes.length === 0 || outcome === 'active') return result;
  const cluster = ctx.saga.target;
  const applied = await ask(
    ctx,
    cluster,
    { kind: 'apply_group_offsets', cluster, group, offsets: plan.changes },
    signal,
  );
  if (!applied.ok) return `${group}: ${applied.detail}`;
  if (applied.output.outcome === 'active') return { ...result, state: 'STABLE', outcome: 'active' };
  if (applied.output.outcome === 'unknown_topic') return `${group}: the broker does not know a topic`;
  const read = byPartition(applied.output.offsets);
  const wrong = plan.changes.filter((change) => read.get(positionKey(change)) !== change.offset);
  return wrong.length === 0 ? result : `${group}: read back otherwise: ${wrong.map(positionKey).join(', ')}`;
}

function tell(r: GroupResult): string {
  if (r.outcome === 'active') return `${r.group}: consumes on the target already, left alone`;
  const unknown = r.outcome === 'unknown' ? ', known on neither side' : r.outcome === 'created' ? ', new there' : '';
  return (
    `${r.group}: ${r.exact} exact, ${r.safe} safe, ${r.unproved} unproved${unknown}; ` +
    `at most ${r.rereadAtMost} records again`
  );
}

const syncsEvidence = ({ output, problem }: Translated): Json =>
  output === null ? { problem } : { ...output.syncs, readAgeMs: rounded(output.syncs.readAgeMs) };

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));
