import { pollUntil } from '../agent-calls.js';
import { writeCheck } from '../write-check.js';
import { StepFailure, type Step, type StepResult } from './step.js';

/** The last look of a planned switch: the target is fit and takes a write. Its source is watched all the time. */
export const checkStandby: Step = {
  name: 'check-target',
  async run(ctx, signal): Promise<StepResult> {
    const { target } = ctx.saga;
    let missing = 'not looked at';
    const fit = await pollUntil(ctx, signal, async () => {
      const { snapshot, decision } = ctx.evaluate();
      if (!decision.targetFit.fit) {
        missing = decision.targetFit.reasons.join('; ');
        return null;
      }
      const written = await writeCheck(ctx, target, signal);
      const fenced = snapshot.fences.some(
        (f) => f.cluster === target && (f.state === 'fenced' || f.state === 'partial'),
      );
      if (!written.ok) missing = `no write could be tried: ${written.detail}`;
      else if (!written.output.accepted && !fenced) missing = `a write was refused: ${written.output.detail}`;
      else return true;
      return null;
    });
    if (fit === null) throw new StepFailure('FAILED', `${target} cannot take over: ${missing}`, { missing });
    return { evidence: { summary: `${target} is fit and takes a write` } };
  },
};
