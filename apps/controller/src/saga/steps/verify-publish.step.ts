import { pollUntil } from '../agent-calls.js';
import { within } from '../saga-time.js';
import { writeCheck } from '../write-check.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/** What clients will see: the pointer as read back, and a write on the new active cluster. Their adoption is not waited for. */
export const verifyPublish: Step = {
  name: 'verify-publish',
  async run(ctx, signal): Promise<StepResult> {
    let missing = 'not looked at';
    const seen = await pollUntil(ctx, signal, async () => {
      missing = (await pointerProblem(ctx, signal)) ?? (await writeProblem(ctx, signal)) ?? '';
      return missing === '' ? true : null;
    });
    if (seen === null) throw new StepFailure('FAILED', `after publish: ${missing}`, { missing });
    const behind = ctx.publishing.behind(ctx.saga.group);
    const summary = `read back, a write on ${ctx.saga.target} is accepted`;
    return { evidence: { summary, behind, adoption: 'reported by clients, not waited for' } };
  },
};

async function pointerProblem(ctx: StepContext, signal: AbortSignal): Promise<string | null> {
  try {
    const pointer = await within(ctx.publishing.read(ctx.saga.group), signal);
    return pointer?.epoch === ctx.saga.epoch ? null : `the pointer reads epoch ${pointer?.epoch ?? 'none'}`;
  } catch (error) {
    signal.throwIfAborted();
    return `the pointer could not be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function writeProblem(ctx: StepContext, signal: AbortSignal): Promise<string | null> {
  const written = await writeCheck(ctx, ctx.saga.target, signal);
  if (!written.ok) return written.detail;
  return written.output.accepted ? null : `a write was refused: ${written.output.detail}`;
}
