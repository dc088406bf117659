import { pollUntil, positionKey } from '../agent-calls.js';
import { writeCheck } from '../write-check.js';
import { missingRecords } from './missing-records.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * The last look of a planned switch: the target is fit and takes a write, and the source got nothing that the target lacks. A
 * fence was proved minutes ago at most, but somebody may have taken it away since: what was written then would stay behind.
 */
export const checkStandby: Step = {
  name: 'check-target',
  async run(ctx, signal): Promise<StepResult> {
    const { source, target } = ctx.saga;
    let missing = 'not looked at';
    const fit = await pollUntil(ctx, signal, async () => {
      const behind = await leftBehind(ctx, signal);
      if (behind !== null) {
        missing = behind;
        return null;
      }
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
    return { evidence: { summary: `${target} is fit and takes a write, and lacks nothing that ${source} holds` } };
  },
};

/** Null: nothing. A text: why that is not known now. The copy has stopped, so a record found here will never come over. */
async function leftBehind(ctx: StepContext, signal: AbortSignal): Promise<string | null> {
  const rest = await missingRecords(ctx, signal);
  if (typeof rest === 'string') return rest;
  const written = rest.counts.filter((c) => c.records > 0 || c.openFrom !== null).map(positionKey);
  if (written.length === 0) return null;
  throw new StepFailure('FAILED', `${ctx.saga.source} was written to under its fence: ${written.join(', ')}`);
}
