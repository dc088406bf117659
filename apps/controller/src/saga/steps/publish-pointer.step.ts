import type { Pointer } from '#config-center';
import type { Json } from '#failover';
import { rfc3339 } from '#platform';
import { LostLeadershipError, movedTo, type AuthorityTx } from '../../persistence/authority-store.port.js';
import { pollUntil } from '../agent-calls.js';
import { within } from '../saga-time.js';
import { isBeforeReturn, pointerTo, readQuietly } from './pointer-of.js';
import { recheckFence } from './recheck-fence.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * The point of no return (I24). A publication whose answer was lost is repeated word for word until the center says how
 * it ended: an equal pointer is the same publication, an unequal one at our epoch cannot be. Walking back first
 * publishes the old cluster at a higher epoch, so that a late one can never arrive.
 */
export const publishPointer: Step = {
  name: 'publish',
  async run(ctx, signal): Promise<StepResult> {
    const found = await pollUntil(ctx, signal, () => readQuietly(ctx, signal));
    if (isOurs(ctx, found?.pointer ?? null)) return published(ctx, 'found in the config center');
    const fence = recheckFence(ctx);
    const pointer = pointerTo(ctx, ctx.saga.target, ctx.saga.epoch);
    let problem = 'no answer';
    const expectedEpoch = expected(ctx, found?.pointer ?? null);
    const end = await pollUntil(ctx, signal, async () => {
      mustStillHold(ctx);
      try {
        const guard = { expectedEpoch, term: ctx.term };
        return await within(ctx.publishing.publish(pointer, guard), signal);
      } catch (error) {
        signal.throwIfAborted();
        problem = error instanceof Error ? error.message : String(error);
        return null;
      }
    });
    if (end === null) throw new StepFailure('FAILED', `the config center did not take the publication: ${problem}`);
    if (end.ok || isOurs(ctx, end.current)) return published(ctx, fence);
    if (end.reason === 'stale-term') throw new LostLeadershipError(ctx.term);
    throw new StepFailure('FAILED', `the config center refused: ${end.reason}`, {
      found: end.current === null ? null : { epoch: end.current.epoch, active: end.current.activeCluster },
    });
  },
  undo: publishSourceAgain,
};

/**
 * The source is ACTIVE again, at an epoch above every one that this saga may have published: of an attempted publish, and
 * of DRAIN and HOLD, which then need not run out by themselves.
 */
export async function publishSourceAgain(ctx: StepContext, signal: AbortSignal): Promise<StepResult> {
  const current = await within(ctx.publishing.read(ctx.saga.group), signal);
  if (isOurs(ctx, current)) throw new Error('our publication arrived after all: the saga goes forward');
  if (current?.sagaId === ctx.saga.id && current.epoch > ctx.saga.epoch) {
    return restored(ctx, current.epoch, 'found in the config center');
  }
  if (current !== null && !isBeforeReturn(ctx, current))
    throw new Error("the pointer is a stranger's: not overwritten");
  const pointer = pointerTo(ctx, ctx.saga.source, ctx.epoch);
  const guard = { expectedEpoch: current?.epoch ?? 0, term: ctx.term };
  const end = await within(ctx.publishing.publish(pointer, guard), signal);
  if (end.ok) return restored(ctx, ctx.epoch, 'published');
  if (end.reason === 'stale-term') throw new LostLeadershipError(ctx.term);
  throw new Error(`the config center refused the old cluster at epoch ${ctx.epoch}: ${end.reason}`);
}

/** The epoch in the center that the publication replaces: the one the saga started from, or its own last DRAIN or HOLD. */
const expected = (ctx: StepContext, pointer: Pointer | null): number =>
  pointer !== null && isBeforeReturn(ctx, pointer) ? pointer.epoch : ctx.saga.fromEpoch;

/** A publication that is on its way while clients go on by themselves would find them writing and reading at the source. */
const MODE_MARGIN_MS = 5_000;

function mustStillHold(ctx: StepContext): void {
  if (!ctx.plan.needsSource || ctx.modes.leftMs() > MODE_MARGIN_MS) return;
  throw new StepFailure('FAILED', 'the time that clients were told to hold is over: they went on at the source', {
    leftMs: Math.round(ctx.modes.leftMs()),
  });
}

const isOurs = (ctx: StepContext, pointer: Pointer | null): boolean =>
  pointer !== null &&
  pointer.sagaId === ctx.saga.id &&
  pointer.epoch === ctx.saga.epoch &&
  pointer.activeCluster === ctx.saga.target;

function published(ctx: StepContext, fence: string): StepResult {
  const at = rfc3339(ctx.time.wallMs());
  const evidence: Json = {
    summary: `${ctx.saga.target} is active at epoch ${ctx.saga.epoch}`,
    epoch: ctx.saga.epoch,
    publishedAt: at,
    fence,
  };
  return { evidence, commit: (tx) => rememberActive(ctx, tx, at) };
}

/** The group's row follows the pointer; from here the cool-down counts and an accepted loss is used up. */
async function rememberActive(ctx: StepContext, tx: AuthorityTx, at: string): Promise<void> {
  const row = await tx.group(ctx.saga.group);
  if (row === null || row.epoch >= ctx.saga.epoch) return;
  const moved = movedTo(row, ctx.saga.target, { at, byMatrix: ctx.saga.trigger === 'auto' });
  await tx.saveGroup({ ...moved, epoch: ctx.saga.epoch });
}

function restored(ctx: StepContext, epoch: number, how: string): StepResult {
  const evidence: Json = { summary: `${ctx.saga.source} stays active, at epoch ${epoch} (${how})`, epoch };
  const commit = async (tx: AuthorityTx): Promise<void> => {
    const row = await tx.group(ctx.saga.group);
    if (row !== null && row.epoch < epoch) await tx.saveGroup({ ...row, active: ctx.saga.source, epoch });
  };
  return { evidence, commit };
}
