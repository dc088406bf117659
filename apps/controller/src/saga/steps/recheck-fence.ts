import { judgeSelfFence, needsFenceFirst, type Snapshot } from '#failover';
import { clusterGoal, reachedStatus } from '../agent-calls.js';
import { evidenceOf, textOf } from '../saga-journal.js';
import { answersTo, attestedRefusal } from './fence-source.step.js';
import { StepFailure, type StepContext } from './step.js';

/** Proofs of the source's fence that hold only while somebody still sees them. A waiver proves nothing and needs no second look. */
const PASSING: ReadonlySet<string> = new Set(['attested-refusal', 'self-fence']);

/** What closes the source at the moment of publish, in words. Throws when what was proved then does not hold any more. */
export function recheckFence(ctx: StepContext): string {
  const { source } = ctx.saga;
  const kind = textOf(evidenceOf(ctx.saga, 'fence-source'), 'kind') ?? 'none';
  const { snapshot } = ctx.evaluate();
  const answering = answersTo(snapshot, source);
  if (kind === 'waiver' && needsFenceFirst(ctx.group.policy, ctx.saga.row)) return waived(ctx, answering);
  if (!PASSING.has(kind)) return kind;
  if (answering.length > 0) throw new StepFailure('RECOVERED', `${source} answers ${answering.join(', ')} again`);
  const still = closedBy(ctx, snapshot);
  if (still !== null) return still;
  if (ctx.group.policy.fencing === 'best-effort') return `${kind}, its agent fell silent since: waived`;
  throw new StepFailure('FAILED', `${source} was closed (${kind}), and nobody can say so any more`);
}

/** Waived while nobody found the source answering; one that answers again may be left only behind its fence (I9). */
function waived(ctx: StepContext, answering: readonly string[]): string {
  const { source } = ctx.saga;
  if (answering.length === 0) return 'waiver';
  const status = reachedStatus(ctx, clusterGoal(ctx, source, 'fenced'));
  if (status !== null) return `fence (${status.kind ?? 'unknown kind'}), read back before publish`;
  throw new StepFailure('RECOVERED', `${source} answers ${answering.join(', ')} again and is not closed`);
}

function closedBy(ctx: StepContext, snapshot: Snapshot): string | null {
  const { source } = ctx.saga;
  if (attestedRefusal(snapshot, source) !== null) return 'attested-refusal, seen again before publish';
  if (judgeSelfFence(snapshot, source, ctx.group.policy).kind === 'passed')
    return 'self-fence, its deadline has passed';
  const status = reachedStatus(ctx, clusterGoal(ctx, source, 'fenced'));
  return status === null ? null : `fence (${status.kind ?? 'unknown kind'}), read back before publish`;
}
