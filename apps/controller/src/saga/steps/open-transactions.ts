import type { Json, OpenTransaction } from '#failover';
import { ask, positionKey } from '../agent-calls.js';
import { StepFailure, type StepContext } from './step.js';

/** Transactions on the source of a planned switch: asked for, named, and ended where the policy says so. */

type Open = Readonly<{ open: readonly OpenTransaction[] }> | Readonly<{ problem: string }>;

export async function openTransactions(ctx: StepContext, signal: AbortSignal): Promise<Open> {
  const { source: cluster } = ctx.saga;
  const { topics } = ctx.group.watch;
  const answer = await ask(ctx, cluster, { kind: 'list_transactions', cluster, topics }, signal);
  return answer.ok ? { open: answer.output.open } : { problem: answer.detail };
}

/** Ends what these have open, and their producers with it. What was refused, in words; null: all ended. */
export async function abortOpen(
  ctx: StepContext,
  open: readonly OpenTransaction[],
  signal: AbortSignal,
): Promise<string | null> {
  const { source: cluster } = ctx.saga;
  const transactionalIds = open.map((t) => t.transactionalId);
  const answer = await ask(ctx, cluster, { kind: 'abort_transactions', cluster, transactionalIds }, signal);
  if (!answer.ok) return answer.detail;
  const { refused } = answer.output;
  return refused.length === 0 ? null : refused.map((r) => `${r.transactionalId}: ${r.detail}`).join('; ');
}

const MOST_NAMED = 10;

export function describeOpen(open: readonly OpenTransaction[]): string {
  if (open.length === 0)
    return 'no coordinator shows them to the agent (they hang, or it may not Describe transactional ids)';
  const named = open.slice(0, MOST_NAMED).map((t) => {
    const [first, ...others] = t.partitions.map(positionKey);
    return `${t.transactionalId} on ${first ?? '?'}${others.length === 0 ? '' : ` and ${others.length} more`}`;
  });
  return [...named, ...(open.length > MOST_NAMED ? [`${open.length - MOST_NAMED} more`] : [])].join(', ');
}

/** The refusal that a person reads: which ids, and what to do. */
export function staysOpen(ctx: StepContext, open: readonly OpenTransaction[], more: string): StepFailure {
  const { source } = ctx.saga;
  const evidence: Readonly<Record<string, Json>> = {
    transactionalIds: open.map((t) => t.transactionalId),
    liftedBy:
      'end them in their applications, or set policy.openTransactions.onTimeout: abort-transactions; ' +
      'one that no application knows any more: kafka-transactions.sh find-hanging, abort',
  };
  return new StepFailure('FAILED', `transactions stay open on ${source}: ${describeOpen(open)}${more}`, evidence);
}
