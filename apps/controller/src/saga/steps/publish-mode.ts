import type { Pointer, PointerMode } from '#config-center';
import { LostLeadershipError } from '../../persistence/authority-store.port.js';
import { pollUntil } from '../agent-calls.js';
import { within } from '../saga-time.js';
import { isBeforeReturn, pointerTo, readQuietly } from './pointer-of.js';
import { StepFailure, type StepContext } from './step.js';

export type ModePublication = Readonly<{ mode: PointerMode; epoch: number; maxMs: number }>;

/**
 * Tells clients of the *source* to drain or to hold, for so long at most. A publication like any other, with an epoch of its
 * own below the saga's, and not the point of no return. It is sent anew by each leader: only its own clock says how long it
 * still binds. Clients that hold already are never sent back to draining.
 */
export async function publishMode(
  ctx: StepContext,
  wanted: Readonly<{ mode: 'DRAIN' | 'HOLD'; maxMs: number }>,
  signal: AbortSignal,
): Promise<ModePublication> {
  const found = await pollUntil(ctx, signal, () => readQuietly(ctx, signal));
  if (found === null)
    throw new StepFailure('FAILED', `the config center did not answer, so it was not told to ${wanted.mode}`);
  const { pointer: current } = found;
  if (current === null || !isBeforeReturn(ctx, current)) {
    throw new StepFailure('FAILED', 'the pointer is not one this saga may change', {
      found: current === null ? null : { epoch: current.epoch, active: current.activeCluster },
    });
  }
  const epoch = current.epoch + 1;
  if (epoch >= ctx.saga.epoch) throw new StepFailure('FAILED', 'no epoch is left: too many leaders tried');
  const mode = current.mode === 'HOLD' ? 'HOLD' : wanted.mode;
  const pointer: Pointer = { ...pointerTo(ctx, ctx.saga.source, epoch), mode, maxMs: wanted.maxMs };
  const guard = { expectedEpoch: current.epoch, term: ctx.term };
  ctx.modes.told(wanted.maxMs);
  let problem = 'no answer';
  const end = await pollUntil(ctx, signal, async () => {
    try {
      return await within(ctx.publishing.publish(pointer, guard), signal);
    } catch (error) {
      signal.throwIfAborted();
      problem = error instanceof Error ? error.message : String(error);
      return null;
    }
  });
  if (end === null) throw new StepFailure('FAILED', `the config center did not take ${mode}: ${problem}`);
  if (end.ok) return { mode, epoch, maxMs: wanted.maxMs };
  if (end.reason === 'stale-term') throw new LostLeadershipError(ctx.term);
  throw new StepFailure('FAILED', `the config center refused ${mode}: ${end.reason}`);
}
