import type { Json, OffsetRange } from '#failover';
import { ask, byPartition, pollUntil, positionKey } from '../agent-calls.js';
import { adoptionText, awaitAdoption } from './await-adoption.js';
import { publishMode } from './publish-mode.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * Wrapped consumers commit and stop, so that their last commit is what is translated: no record is read twice. A group that
 * does not stop knows no pointer; it is listed, and may read again what it had not committed.
 */
export const holdConsumers: Step = {
  name: 'hold-consumers',
  async run(ctx, signal): Promise<StepResult> {
    const told = await publishMode(ctx, { mode: 'HOLD', maxMs: ctx.times.holdMs }, signal);
    const adoption = await awaitAdoption(ctx, told, ctx.times.holdWaitMs, signal);
    const head = `${told.mode} at epoch ${told.epoch} for ${told.maxMs} ms${adoptionText(adoption)}`;
    const { consumerGroups } = ctx.group.watch;
    if (consumerGroups.length === 0)
      return { evidence: { summary: `${head}; no consumer groups are configured`, ...told, adoption } };
    const startedAtMs = ctx.time.monotonicMs();
    let problem = 'not looked at';
    const seen = await pollUntil(ctx, signal, async () => {
      const groups = await lookAt(ctx, signal);
      if (typeof groups === 'string') problem = groups;
      else if (groups.every((g) => !g.active)) return groups;
      else if (ctx.time.monotonicMs() - startedAtMs >= ctx.times.holdWaitMs) return groups;
      return null;
    });
    if (seen === null) throw new StepFailure('FAILED', `consumer groups could not be read: ${problem}`);
    const active = seen.filter((g) => g.active).map((g) => g.group);
    const drained = seen.filter((g) => g.remaining === 0).length;
    const list = active.length === 0 ? 'all groups have stopped' : `still reading: ${active.join(', ')}`;
    const groups: Json = seen.map((g) => ({ ...g }));
    return {
      evidence: {
        summary: `${head}; ${list}; ${drained} of ${seen.length} drained`,
        ...told,
        adoption,
        active,
        groups,
      },
    };
  },
};

type Seen = Readonly<{ group: string; state: string; active: boolean; remaining: number }>;

/** `remaining`: committed data records that the group has not committed, counted to the agents' limit. */
async function lookAt(ctx: StepContext, signal: AbortSignal): Promise<readonly Seen[] | string> {
  const { source: cluster } = ctx.saga;
  const { topics, consumerGroups } = ctx.group.watch;
  const held = await ask(ctx, cluster, { kind: 'read_group_offsets', cluster, groups: consumerGroups, topics }, signal);
  if (!held.ok) return held.detail;
  const log = await ask(ctx, cluster, { kind: 'read_end_offsets', cluster, topics }, signal);
  if (!log.ok) return log.detail;
  const seen: Seen[] = [];
  for (const group of consumerGroups) {
    const committed = byPartition(held.output.offsets.filter((o) => o.group === group));
    const starts = byPartition(log.output.starts);
    const ranges = log.output.ends.flatMap((end): OffsetRange[] => {
      const key = positionKey(end);
      const from = Math.max(committed.get(key) ?? 0, starts.get(key) ?? 0);
      return from < end.offset ? [{ topic: end.topic, partition: end.partition, from, to: end.offset }] : [];
    });
    const counted = await ask(ctx, cluster, { kind: 'count_records', cluster, ranges }, signal);
    if (!counted.ok) return counted.detail;
    const state = held.output.states[group] ?? 'UNKNOWN';
    const remaining = counted.output.counts.reduce((sum, c) => sum + c.records, 0);
    seen.push({ group, state, active: state === 'STABLE' || state === 'REBALANCING', remaining });
  }
  return seen;
}
