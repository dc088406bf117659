import { ClaimLostError } from '../../publishing/publishing.port.js';
import { LostLeadershipError } from '../../persistence/authority-store.port.js';
import { within } from '../saga-time.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/** The config center takes writes, proved before anything is fenced (I25): a fenced source nobody can leave is an outage. */
export const checkPublishable: Step = {
  name: 'check-publishable',
  async run(ctx, signal): Promise<StepResult> {
    const { group } = ctx.saga;
    try {
      await within(ctx.publishing.claim(group, ctx.term), signal);
      await within(ctx.publishing.prove(group), signal);
    } catch (cause) {
      if (cause instanceof ClaimLostError) throw new LostLeadershipError(ctx.term);
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new StepFailure('ABORTED', `the config center does not take writes: ${text}`, {}, cause);
    }
    const pointer = await within(ctx.publishing.read(group), signal);
    if (!isStartingPoint(ctx, pointer)) {
      throw new StepFailure('ABORTED', 'the pointer is not the one this saga started from', {
        found: pointer === null ? null : { epoch: pointer.epoch, active: pointer.activeCluster },
      });
    }
    const behind = ctx.publishing.behind(group);
    const summary = behind.length === 0 ? 'canary written' : `canary written; behind: ${behind.join(', ')}`;
    return { evidence: { summary, epoch: pointer?.epoch ?? null, behind } };
  },
};

const isStartingPoint = (
  ctx: StepContext,
  pointer: Readonly<{ epoch: number; sagaId: string | null }> | null,
): boolean => pointer !== null && (pointer.epoch === ctx.saga.fromEpoch || pointer.sagaId === ctx.saga.id);
