import type { ConsumerGroupState, PartitionOffset } from '#failover';
import { ask, byPartition, pollUntil, positionKey } from '../agent-calls.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * Every consumer group resumes at or before where it was, never past the end (I34): the offsets that MM2 synced are
 * read back and brought inside the log; where none exists, earliest, never latest. A group that already consumes on the
 * target is left alone: its own commits are newer than anything known here.
 */
export const setOffsets: Step = {
  name: 'set-offsets',
  async run(ctx, signal): Promise<StepResult> {
    const { consumerGroups } = ctx.group.watch;
    if (consumerGroups.length === 0) return { evidence: { summary: 'no consumer groups are configured' } };
    let problem = 'not tried';
    const results = await pollUntil(ctx, signal, async () => {
      const outcome = await setAll(ctx, signal);
      if (!outcome.ok) problem = outcome.problem;
      return outcome.ok ? outcome.groups : null;
    });
    if (results === null)
      throw new StepFailure('FAILED', `consumer offsets on ${ctx.saga.target} are not set: ${problem}`);
    const summary = results
      .map((r) => `${r.group}: ${r.kept} synced, ${r.corrected} corrected, ${r.earliest} earliest`)
      .join('; ');
    return { evidence: { summary, groups: results } };
  },
};

type GroupResult = Readonly<{ group: string; state: string; kept: number; corrected: number; earliest: number }>;
type Outcome = Readonly<{ ok: true; groups: readonly GroupResult[] }> | Readonly<{ ok: false; problem: string }>;
type Log = Readonly<{ starts: readonly PartitionOffset[]; ends: ReadonlyMap<string, number> }>;

async function setAll(ctx: StepContext, signal: AbortSignal): Promise<Outcome> {
  const cluster = ctx.saga.target;
  const { topics, consumerGroups } = ctx.group.watch;
  const log = await ask(ctx, cluster, { kind: 'read_end_offsets', cluster, topics }, signal);
  if (!log.ok) return { ok: false, problem: log.detail };
  const held = await ask(ctx, cluster, { kind: 'read_group_offsets', cluster, groups: consumerGroups, topics }, signal);
  if (!held.ok) return { ok: false, problem: held.detail };
  const groups: GroupResult[] = [];
  for (const group of consumerGroups) {
    const committed = byPartition(held.output.offsets.filter((o) => o.group === group));
    const state = held.output.states[group] ?? 'UNKNOWN';
    const bounds = { starts: log.output.starts, ends: byPartition(log.output.ends) };
    const result = await setOne(ctx, { group, state, committed }, bounds, signal);
    if (typeof result === 'string') return { ok: false, problem: result };
    groups.push(result);
  }
  return { ok: true, groups };
}

type Held = Readonly<{ group: string; state: ConsumerGroupState; committed: ReadonlyMap<string, number> }>;

async function setOne(ctx: StepContext, held: Held, log: Log, signal: AbortSignal): Promise<GroupResult | string> {
  const { group, state, committed } = held;
  const plan = placesFor(log, committed);
  const counts = { group, state, kept: plan.kept, corrected: plan.corrected, earliest: plan.earliest };
  if (plan.changes.length === 0 || state === 'STABLE' || state === 'REBALANCING') return counts;
  const cluster = ctx.saga.target;
  const applied = await ask(
    ctx,
    cluster,
    { kind: 'apply_group_offsets', cluster, group, offsets: plan.changes },
    signal,
  );
  if (!applied.ok) return `${group}: ${applied.detail}`;
  if (applied.output.outcome === 'active') return { ...counts, state: 'STABLE' };
  if (applied.output.outcome === 'unknown_topic') return `${group}: the broker does not know a topic`;
  const read = byPartition(applied.output.offsets);
  const wrong = plan.changes.filter((change) => read.get(positionKey(change)) !== change.offset);
  return wrong.length === 0 ? counts : `${group}: read back otherwise: ${wrong.map(positionKey).join(', ')}`;
}

type Places = Readonly<{ changes: readonly PartitionOffset[]; kept: number; corrected: number; earliest: number }>;

/** Where a group must stand on every partition of the log, and what has to change for it. */
export function placesFor(log: Log, committed: ReadonlyMap<string, number>): Places {
  const changes: PartitionOffset[] = [];
  let kept = 0;
  let corrected = 0;
  let earliest = 0;
  for (const start of log.starts) {
    const key = positionKey(start);
    const end = log.ends.get(key) ?? start.offset;
    const at = committed.get(key);
    if (at === undefined || at < 0) {
      changes.push({ ...start });
      earliest++;
    } else if (at < start.offset || at > end) {
      changes.push({ ...start, offset: at > end ? end : start.offset });
      corrected++;
    } else kept++;
  }
  return { changes, kept, corrected, earliest };
}
