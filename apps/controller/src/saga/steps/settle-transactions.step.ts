import { inTheWay, type Json, type OpenTransaction } from '#failover';
import { pollUntil } from '../agent-calls.js';
import { abortOpen, describeOpen, openTransactions, staysOpen } from './open-transactions.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * Before the fence: an open transaction is waited for, then the switch is given up or, by policy, the transaction. Under a
 * fence by topic configuration no marker can be written, so that what is open there would hang: readers of committed records
 * would stand still on it.
 */
export const settleTransactions: Step = {
  name: 'settle-transactions',
  async run(ctx, signal): Promise<StepResult> {
    const seen: Seen = { first: null, sinceMs: ctx.time.monotonicMs(), aborted: [], problem: 'not looked at' };
    const evidence = await pollUntil(ctx, signal, () => look(ctx, seen, signal));
    if (evidence !== null) return { evidence };
    throw new StepFailure('FAILED', `open transactions of ${ctx.saga.source}: ${seen.problem}`);
  },
};

type Seen = { first: readonly OpenTransaction[] | null; sinceMs: number; aborted: string[]; problem: string };

async function look(ctx: StepContext, seen: Seen, signal: AbortSignal): Promise<Json> {
  const found = await openTransactions(ctx, signal);
  if ('problem' in found) {
    seen.problem = found.problem;
    return null;
  }
  seen.first ??= found.open;
  const blocking = inTheWay(found.open, seen.first, markersPass(ctx));
  if (blocking.length === 0) return { summary: summaryOf(found.open, seen), aborted: seen.aborted };
  seen.problem = describeOpen(blocking);
  const { waitMs, onTimeout } = ctx.group.policy.openTransactions;
  if (ctx.time.monotonicMs() - seen.sinceMs < waitMs) return null;
  if (onTimeout === 'abort-switchover') throw staysOpen(ctx, blocking, ` for ${waitMs} ms and longer`);
  const refused = await abortOpen(ctx, blocking, signal);
  if (refused !== null) throw staysOpen(ctx, blocking, `; they were not aborted: ${refused}`);
  seen.aborted.push(...blocking.map((t) => t.transactionalId));
  return null;
}

/** Only the ACL fence is known to let them: what a hook does nobody here knows. */
function markersPass(ctx: StepContext): boolean {
  const offers = ctx.evaluate().snapshot.clusterSettings[ctx.saga.source]?.fencing?.offers ?? [];
  return offers.some((o) => o.kind === 'acl' && o.usable);
}

function summaryOf(open: readonly OpenTransaction[], { aborted }: Seen): string {
  const ended = aborted.length === 0 ? '' : `; aborted by policy: ${aborted.join(', ')}`;
  const rest = open.length === 0 ? 'no transaction is open' : `${open.length} began since, the fence may cut them off`;
  return `${rest}${ended}`;
}
