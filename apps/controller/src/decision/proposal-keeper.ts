import { Inject, Injectable } from '@nestjs/common';
import { conditionOf, explain, type Json, type Proposal, type ProposalStep } from '#failover';
import { CLOCK, type Clock, newId, rfc3339 } from '#platform';
import type { GroupConfig } from '../config/compile.js';
import { LEADERSHIP, type Leadership } from '../leadership/leadership.port.js';
import { AUTHORITY_STORE, type AuthorityStore, type AuthorityTx } from '../persistence/authority-store.port.js';
import type { Evaluation } from './decision.port.js';

type Closing = Exclude<ProposalStep['do'], 'open' | 'forget'>;
const CLOSED_AS = { expire: 'expired', withdraw: 'withdrawn' } as const satisfies Record<Closing, Proposal['state']>;

/**
 * Writes what the rules say about a group's proposal: opened, expired, withdrawn, forgotten. Approving and rejecting are a
 * person's. The row in the store is looked at again inside the transaction, so a person who was faster wins.
 */
@Injectable()
export class ProposalKeeper {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Throws LostLeadershipError and StoreUnavailableError; the next tick asks again. */
  async carryOut(group: GroupConfig, step: ProposalStep, seen: Evaluation): Promise<void> {
    const { term, me } = this.leadership.current();
    const known = seen.snapshot.group.proposal?.id ?? null;
    await this.store.transact(term, me, async (tx) => {
      const row = await tx.group(group.name);
      if (row === null || (row.proposal?.id ?? null) !== known) return;
      if (step.do === 'forget') return await tx.saveGroup({ ...row, proposal: null });
      const isOpen = row.proposal?.state === 'open';
      if (isOpen !== (step.do !== 'open')) return;
      const at = rfc3339(this.clock.wallMs());
      const proposal =
        step.do === 'open' ? this.proposed(group, seen, row.proposal) : closedBy(row.proposal, step.do, { at, step });
      if (proposal === null) return;
      await tx.saveGroup({ ...row, proposal });
      await note(tx, proposal, { at, reason: step.reason, term, me, group: group.name });
    });
  }

  private proposed(
    { policy }: GroupConfig,
    { snapshot, decision }: Evaluation,
    last: Proposal | null,
  ): Proposal | null {
    const { group } = snapshot;
    if (decision.target === null) return null;
    const wallMs = this.clock.wallMs();
    const { window, loss, reasons, clusters } = explain(snapshot, policy, decision);
    return {
      ...{ id: newId(), origin: 'matrix', act: 'failover', row: decision.row, state: 'open', closed: null },
      condition: conditionOf(decision.verdicts[group.active]?.name ?? 'UNKNOWN'),
      ...{ source: group.active, target: decision.target, epoch: group.epoch },
      openedAt: rfc3339(wallMs),
      expiresAt: rfc3339(wallMs + policy.proposal.expiresMs),
      after: last?.origin === 'matrix' ? last.id : null,
      needed: policy.approvals,
      ...{ approvals: [], request: null },
      seen: JSON.parse(JSON.stringify({ window, loss, reasons, votes: clusters })) as Json,
    };
  }
}

const closedBy = (
  proposal: Proposal | null,
  how: Closing,
  { at, step }: Readonly<{ at: string; step: ProposalStep }>,
): Proposal | null =>
  proposal && { ...proposal, state: CLOSED_AS[how], closed: { at, by: 'pointsman', reason: step.reason, saga: null } };

async function note(
  tx: AuthorityTx,
  { id, act, source, target, row, epoch, state, seen }: Proposal,
  of: Readonly<{ at: string; reason: string; term: number; me: string; group: string }>,
): Promise<void> {
  const { at, group, term, reason } = of;
  const how = state === 'open' ? 'proposed' : `proposal ${state}`;
  const summary = `${how}: ${act} ${source} → ${target}: ${reason}`;
  const detail = { proposal: id, state, seen: state === 'open' ? seen : null };
  await tx.appendEvent({ at, group, type: 'operator', row, summary, detail, term, epoch });
  await tx.appendAudit({ at, actor: `controller:${of.me}`, action: how, group, reason, detail, term, epoch });
}
