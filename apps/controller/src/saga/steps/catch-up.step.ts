import type { Json, RecordCount } from '#failover';
import { pollUntil, positionKey } from '../agent-calls.js';
import { evidenceOf, textOf } from '../saga-journal.js';
import { watchFlow } from './flow-failures.js';
import { missingRecords } from './missing-records.js';
import { abortOpen, openTransactions, staysOpen } from './open-transactions.js';
import type { Step, StepContext, StepResult } from './step.js';

/**
 * Everything that the source holds is on the target: per partition the last *data* record. A commit marker may hold the last
 * offset, so "N + 1 = E" may never come; what is left is then read as a reader of committed records would, and must be
 * empty. An open transaction may still become data: it is waited for a while, then the policy says which of the two is given up.
 * A copy that has failed brings nothing any more: applications are not kept waiting for the whole of the deadline.
 */
export const catchUp: Step = {
  name: 'catch-up',
  async run(ctx, signal): Promise<StepResult> {
    const waits: Waits = { openSinceMs: null, aborted: false, problem: 'not looked at' };
    const flow = watchFlow(ctx, ctx.saga.source, ctx.saga.target);
    const behind = (): string => `${ctx.saga.target} did not catch up: ${waits.problem}`;
    const done = await pollUntil(ctx, signal, async () => {
      const caughtUp = await look(ctx, waits, signal);
      if (caughtUp === null) flow.mustRecover(behind());
      return caughtUp;
    });
    if (done !== null) return { evidence: done };
    throw flow.failure(behind());
  },
};

type Waits = { openSinceMs: number | null; aborted: boolean; problem: string };

async function look(ctx: StepContext, waits: Waits, signal: AbortSignal): Promise<Json> {
  const rest = await missingRecords(ctx, signal);
  if (typeof rest === 'string') {
    waits.problem = rest;
    return null;
  }
  const { partitions, pending, counts } = rest;
  if (pending === 0) return { summary: `${partitions} partitions caught up`, markersOnly: 0 };
  await mustNotStayOpen(ctx, counts, waits, signal);
  const missing = counts.filter((c) => c.records > 0);
  const open = counts.filter((c) => c.openFrom !== null);
  if (missing.length === 0 && open.length === 0) {
    const summary = `${partitions} partitions caught up; the rest of ${pending} holds markers only`;
    return { summary, markersOnly: pending };
  }
  waits.problem = [...missing.map((c) => `${positionKey(c)} misses ${c.records}`), ...open.map(openText)].join(', ');
  return null;
}

/** One that began between the look before the fence and the fence. */
async function mustNotStayOpen(
  ctx: StepContext,
  counts: readonly RecordCount[],
  waits: Waits,
  signal: AbortSignal,
): Promise<void> {
  const open = counts.filter((c) => c.openFrom !== null);
  const nowMs = ctx.time.monotonicMs();
  waits.openSinceMs = open.length === 0 ? null : (waits.openSinceMs ?? nowMs);
  const { waitMs, onTimeout } = ctx.group.policy.openTransactions;
  if (waits.openSinceMs === null || nowMs - waits.openSinceMs < waitMs) return;
  const known = await openTransactions(ctx, signal);
  const transactions = 'open' in known ? known.open : [];
  const where = `; ${open.map(openText).join(', ')}`;
  // Markers cannot pass a fence by topic configuration: an abort would only hang.
  const mayAbort =
    onTimeout === 'abort-transactions' && fencedBy(ctx) === 'acl' && !waits.aborted && transactions.length > 0;
  if (!mayAbort) throw staysOpen(ctx, transactions, where);
  const refused = await abortOpen(ctx, transactions, signal);
  if (refused !== null) throw staysOpen(ctx, transactions, `${where}; they were not aborted: ${refused}`);
  waits.aborted = true;
  waits.openSinceMs = nowMs;
}

const fencedBy = (ctx: StepContext): string | null => textOf(evidenceOf(ctx.saga, 'fence-source'), 'by');

const openText = (c: RecordCount): string => `${positionKey(c)} has a transaction open from ${c.openFrom ?? '?'}`;
