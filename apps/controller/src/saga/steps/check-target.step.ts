import { orderHolds, overridesRejoin, type Decision, type Json, type Snapshot } from '#failover';
import type { VerdictName } from '#health';
import { pollUntil } from '../agent-calls.js';
import { writeCheck } from '../write-check.js';
import { answersTo } from './fence-source.step.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * The last look before publish: the target is fit and takes an ordinary write, and what opened the saga still holds.
 * Not knowing (UNKNOWN, a target not fit for a moment) waits for the deadline; only a source that *answers* ends the saga
 * as RECOVERED.
 */
export const checkTarget: Step = {
  name: 'check-target',
  async run(ctx, signal): Promise<StepResult> {
    let missing: readonly string[] = ['not looked at'];
    const evidence = await pollUntil(ctx, signal, async () => {
      const { snapshot, decision } = ctx.evaluate();
      const source = ordered(ctx, decision) ? 'down' : judgeSource(ctx.saga, snapshot, decision);
      if (source === 'answers') throw recovered(ctx, decision);
      missing = [...(source === 'unknown' ? [`${ctx.saga.source} is unknown`] : []), ...unfit(ctx, decision)];
      if (missing.length > 0) return null;
      const write = await writeTarget(ctx, signal);
      if (write !== null) missing = [write];
      return write === null ? evidenceOf(ctx, decision) : null;
    });
    if (evidence !== null) return { evidence };
    throw new StepFailure('FAILED', `${ctx.saga.target} cannot take over: ${missing.join('; ')}`, { missing });
  },
};

/**
 * Whether what opened the saga still holds. Only a fresh vote that S answers is an answer; a verdict that changed for
 * any other reason (an agent fell silent, said goodbye, doubts itself) is not knowing. Some rows are opened by a source that
 * still answers somebody, or of which nobody can say: there the condition itself must hold.
 */
export function judgeSource(
  saga: Readonly<{ source: string; row: number }>,
  snapshot: Snapshot,
  decision: Decision,
): 'down' | 'unknown' | 'answers' {
  const verdict = decision.verdicts[saga.source]?.name ?? 'UNKNOWN';
  if (verdict === 'DOWN_ATTESTED' || verdict === 'DOWN_ISOLATED') return 'down';
  if (STILL_HOLDS[saga.row]?.(decision, verdict) === true) return 'down';
  return answersTo(snapshot, saga.source).length > 0 ? 'answers' : 'unknown';
}

const matches = (row: number, decision: Decision): boolean => decision.row === row || decision.also.includes(row);

const STILL_HOLDS: Readonly<Record<number, (decision: Decision, verdict: VerdictName) => boolean>> = {
  115: (decision) => matches(115, decision),
  420: (_decision, verdict) => verdict === 'ALIVE_INSIDE',
  510: (decision) => matches(510, decision),
};

/** A person ordered it, and what it was ordered off still holds. */
const ordered = (ctx: StepContext, decision: Decision): boolean =>
  ctx.request?.force !== undefined && orderHolds(ctx.group.policy, ctx.saga.row, decision);

function unfit({ request }: StepContext, { targetFit: { fit, reasons } }: Decision): readonly string[] {
  return fit || overridesRejoin(request?.force, reasons) ? [] : ['not fit', ...reasons];
}

async function writeTarget(ctx: StepContext, signal: AbortSignal): Promise<string | null> {
  const written = await writeCheck(ctx, ctx.saga.target, signal);
  if (!written.ok) return `no write could be tried: ${written.detail}`;
  // A standby fenced at all times refuses here; the next step opens it and tries again.
  return written.output.accepted || isFenced(ctx) ? null : `a write was refused: ${written.output.detail}`;
}

const isFenced = (ctx: StepContext): boolean =>
  ctx
    .evaluate()
    .snapshot.fences.some((f) => f.cluster === ctx.saga.target && (f.state === 'fenced' || f.state === 'partial'));

const recovered = (ctx: StepContext, decision: Decision): StepFailure =>
  new StepFailure('RECOVERED', `${ctx.saga.source} answers again`, {
    verdict: decision.verdicts[ctx.saga.source]?.name ?? 'UNKNOWN',
  });

const evidenceOf = (ctx: StepContext, decision: Decision): Json => ({
  summary: `${ctx.saga.target} is fit and takes a write; ${ctx.saga.source} is ${decision.verdicts[ctx.saga.source]?.name ?? 'UNKNOWN'}`,
  source: decision.verdicts[ctx.saga.source]?.name ?? 'UNKNOWN',
  row: decision.row,
});
