import type { Pointer } from '#config-center';
import { within } from '../saga-time.js';
import type { StepContext } from './step.js';

/** Reads the pointer; null: the center is silent, which is no answer. */
export async function readQuietly(
  ctx: StepContext,
  signal: AbortSignal,
): Promise<Readonly<{ pointer: Pointer | null }> | null> {
  try {
    return { pointer: await within(ctx.publishing.read(ctx.saga.group), signal) };
  } catch {
    signal.throwIfAborted();
    return null; // asked again until the deadline
  }
}

export function pointerTo(ctx: StepContext, cluster: string, epoch: number): Pointer {
  const target = ctx.group.clusters.find((c) => c.name === cluster);
  if (target === undefined)
    throw new Error(`cluster ${cluster} is not in group ${ctx.saga.group}: configuration changed`);
  return {
    version: 1,
    group: ctx.saga.group,
    activeCluster: cluster,
    mode: 'ACTIVE',
    epoch,
    term: ctx.term,
    sagaId: ctx.saga.id,
    bootstrapServers: target.bootstrapServers,
    publishedAt: ctx.intentAt,
  };
}

/** The pointer this saga started from, or a DRAIN or HOLD of its own on the same cluster. */
export const isBeforeReturn = (ctx: StepContext, pointer: Pointer): boolean =>
  pointer.activeCluster === ctx.saga.source &&
  (pointer.epoch === ctx.saga.fromEpoch || (pointer.sagaId === ctx.saga.id && pointer.epoch < ctx.saga.epoch));
