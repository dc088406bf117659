import { consumerAt, strayWrites, unwrappedConsumers } from '#failover';
import type { ClientReport } from '#config-center';
import { ask } from '../agent-calls.js';
import type { StepContext } from './step.js';

const AT_WORK: ReadonlySet<string> = new Set(['STABLE', 'REBALANCING']);

/**
 * Who goes on at the old side without following any pointer, by what its brokers show now, in words for people. A side that
 * is down shows nothing, and nobody can be there. `sinceMs`: only what was written within this time is told.
 */
export async function unwrappedOnSource(
  ctx: StepContext,
  reports: readonly ClientReport[],
  sinceMs: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { source: cluster, target } = ctx.saga;
  const { snapshot, decision } = ctx.evaluate();
  if (decision.verdicts[cluster]?.name.startsWith('DOWN') === true) return [];
  const writes = strayWrites(snapshot, target, sinceMs).map(
    (w) => `somebody writes on ${w.cluster}: its topics grew, and nothing is copied there`,
  );
  const { consumerGroups, topics } = ctx.group.watch;
  if (consumerGroups.length === 0) return writes;
  const held = await ask(ctx, cluster, { kind: 'read_group_offsets', cluster, groups: consumerGroups, topics }, signal);
  if (!held.ok) return [...writes, `whether somebody reads on ${cluster} is not known: ${held.detail}`];
  const { states } = held.output;
  const signs = consumerGroups.map((consumerGroup) => ({
    cluster,
    consumerGroup,
    committedAgeMs: null,
    members: AT_WORK.has(states[consumerGroup] ?? 'UNKNOWN') ? 1 : 0,
  }));
  const wrapped = new Set(reports.filter((r) => r.kind === 'consumer').map((r) => consumerAt(r.cluster, r.name)));
  const readers = unwrappedConsumers(signs, wrapped).map(
    (s) => `consumer group ${s.consumerGroup} reads on ${cluster} without the wrapper`,
  );
  return [...writes, ...readers];
}
