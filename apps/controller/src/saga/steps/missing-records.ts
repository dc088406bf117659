import type { OffsetRange, RecordCount } from '#failover';
import { ask, byPartition, positionKey } from '../agent-calls.js';
import { StepFailure, type StepContext } from './step.js';

/** What the source of a planned switch holds beyond what was copied, read as a reader of committed records would. */

/** `pending`: partitions whose log is longer than what was copied; `counts`: what lies there, markers and aborted records apart. */
export type Missing = Readonly<{ partitions: number; pending: number; counts: readonly RecordCount[] }>;

/** A text: why it could not be known now. */
export async function missingRecords(ctx: StepContext, signal: AbortSignal): Promise<Missing | string> {
  const rest = await ranges(ctx, signal);
  if (typeof rest === 'string') return rest;
  const { partitions, pending } = rest;
  if (pending.length === 0) return { partitions, pending: 0, counts: [] };
  const { source: cluster } = ctx.saga;
  const counted = await ask(ctx, cluster, { kind: 'count_records', cluster, ranges: pending }, signal);
  return counted.ok ? { partitions, pending: pending.length, counts: counted.output.counts } : counted.detail;
}

type Rest = Readonly<{ partitions: number; pending: readonly OffsetRange[] }>;

/** [N + 1, E) per partition where it is not empty; or why it is not known. */
async function ranges(ctx: StepContext, signal: AbortSignal): Promise<Rest | string> {
  const { source, target } = ctx.saga;
  const { topics } = ctx.group.watch;
  const flow = ctx.group.watch.flows.find((f) => f.from === source && f.to === target);
  if (flow === undefined) throw new StepFailure('FAILED', `no flow ${source}→${target} is configured`);
  const { connectors } = flow;
  const position = { kind: 'read_replication_position', from: source, to: target, connectors, topics } as const;
  const [log, replicated] = await Promise.all([
    ask(ctx, source, { kind: 'read_end_offsets', cluster: source, topics }, signal),
    ask(ctx, target, position, signal),
  ]);
  if (!log.ok) return log.detail;
  if (!replicated.ok) return replicated.detail;
  const starts = byPartition(log.output.starts);
  const last = byPartition(replicated.output.positions);
  const pending = log.output.ends.flatMap((end): OffsetRange[] => {
    const key = positionKey(end);
    const from = Math.max((last.get(key) ?? -1) + 1, starts.get(key) ?? 0);
    return from < end.offset ? [{ topic: end.topic, partition: end.partition, from, to: end.offset }] : [];
  });
  return { partitions: log.output.ends.length, pending };
}
