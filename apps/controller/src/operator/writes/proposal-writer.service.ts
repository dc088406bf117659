import { Inject, Injectable } from '@nestjs/common';
import type { Approval, Json, Proposal } from '#failover';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../../persistence/authority-store.port.js';
import type { AuthorityStore, AuthorityTx } from '../../persistence/authority-store.port.js';
import { SAGA_DRIVER } from '../../saga/saga.port.js';
import type { PlannedAsk, SagaDriver } from '../../saga/saga.port.js';
import { Groups } from '../groups.service.js';
import type { WriteHeaders } from '../http/write.guard.js';
import { toJson } from '../views/json.js';
import { actor } from './acts.js';
import { KeptAnswers } from './kept-answers.js';
import type { WriteAnswer } from './kept-answers.js';
import type { ApproveBody } from './proposal.schemas.js';
import { mustBeAllowed, mustBeAnother, mustBeAt, proposalMoved, starting } from './saga-problems.js';
import { SagaWriter } from './saga-writer.service.js';

const ACCEPTED = 202;

type Given = Readonly<{ ask: PlannedAsk; proposal: Proposal; approval: Approval; headers: WriteHeaders }>;

/**
 * A person's yes to an open proposal. The last one that is needed opens the saga, in the transaction that closes the
 * proposal; one before it is written down. Either way the matrix is asked once more, on a fresh snapshot.
 */
@Injectable()
export class ProposalWriter {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(SAGA_DRIVER) private readonly sagas: SagaDriver,
    @Inject(Groups) private readonly groups: Groups,
    @Inject(KeptAnswers) private readonly answers: KeptAnswers,
    @Inject(SagaWriter) private readonly sagaWriter: SagaWriter,
  ) {}

  async approve(group: string, body: ApproveBody, headers: WriteHeaders, identity: string): Promise<WriteAnswer> {
    this.groups.config(group);
    const at = new Date().toISOString();
    const approval: Approval = { identity, by: actor(body.by), reason: body.reason, at };
    const proposal = await this.open(group);
    const ask = askOf(group, proposal, body.proposal ?? null, approval);
    const what = [group, 'approve', body];
    const { dryRun } = body;
    if (proposal === null || proposal.approvals.length + 1 >= proposal.needed) {
      const also: NonNullable<Parameters<SagaWriter['carryOut']>[0]['also']> = (tx, saga) =>
        this.keep(tx, group, proposal, approval, { saga: saga?.id ?? null });
      const answer = await this.sagaWriter.carryOut({ ask, dryRun, headers, what, also });
      if (dryRun && proposal !== null) mustBeAnother(group, proposal, identity);
      return answer;
    }
    const given = { ask, proposal, approval, headers };
    if (dryRun) return await this.check(given, true);
    return await this.answers.once(headers.key, what, async (bodyHash) => {
      const answer = await this.check(given, false);
      await this.write(given, { bodyHash, answer });
      return answer;
    });
  }

  private async open(group: string): Promise<Proposal | null> {
    const row = (await this.store.groups()).find((r) => r.name === group);
    return row?.proposal?.state === 'open' ? row.proposal : null;
  }

  /** The same questions as before the act itself: a yes that could not be carried out is none. */
  private async check({ ask, proposal, approval, headers }: Given, dryRun: boolean): Promise<WriteAnswer> {
    const rehearsal = await this.sagas.rehearse(ask);
    if (rehearsal === null) throw starting();
    mustBeAt(ask.group, rehearsal.epoch, headers.epoch);
    mustBeAllowed(ask, rehearsal.refusals);
    const given = proposal.approvals.length + 1;
    const summary = `${given} of ${proposal.needed} persons approved ${proposal.act} ${proposal.source} → ${proposal.target}`;
    const { epoch, target, plan } = rehearsal;
    const common = { group: ask.group, action: 'approve', dryRun, changed: !dryRun, summary, epoch, saga: null };
    const body = { ...common, source: plan.source, target, proposal: withApproval(proposal, approval), steps: [] };
    return { status: ACCEPTED, body: toJson(body) };
  }

  private async write(given: Given, kept: Readonly<{ bodyHash: string; answer: WriteAnswer }>): Promise<void> {
    const { ask, proposal, approval, headers } = given;
    const { term, me } = this.leadership.current();
    await this.store.transact(term, me, async (tx) => {
      await this.keep(tx, ask.group, proposal, approval, null);
      await tx.rememberAnswer(headers.key, { bodyHash: kept.bodyHash, at: approval.at, ...kept.answer });
    });
  }

  /** The proposal with its new approval, closed if a saga begins with it; its audit row and its event. */
  private async keep(
    tx: AuthorityTx,
    group: string,
    seen: Proposal | null,
    approval: Approval,
    done: Readonly<{ saga: string | null }> | null, // null: another person must approve too
  ): Promise<void> {
    const row = await tx.group(group);
    const now = row?.proposal ?? null;
    if (row === null || seen === null || now?.id !== seen.id || now.state !== 'open') throw proposalMoved(group);
    mustBeAnother(group, now, approval.identity);
    // Another person's yes came in between: whether this one is the last that is needed was judged without it.
    if (now.approvals.length !== seen.approvals.length) throw proposalMoved(group);
    const { at, by, reason } = approval;
    const approved = withApproval(now, approval);
    const saga = done?.saga ?? null;
    const closed = { at, by, reason, saga };
    await tx.saveGroup({ ...row, proposal: done === null ? approved : { ...approved, state: 'approved', closed } });
    const { term } = this.leadership.current();
    const common = { at, group, term, epoch: row.epoch };
    const detail: Json = { proposal: now.id, identity: approval.identity, saga };
    const summary = `${by}: approved ${now.act} ${now.source} → ${now.target}: ${reason}`;
    await tx.appendAudit({ ...common, actor: by, action: 'approve', reason, detail });
    await tx.appendEvent({ ...common, type: 'operator', row: now.row, summary, detail });
  }
}

const withApproval = (proposal: Proposal, approval: Approval): Proposal => ({
  ...proposal,
  approvals: [...proposal.approvals, approval],
});

/** Without an open proposal too: the planner says what is missing, in the words of every other refusal. */
function askOf(group: string, proposal: Proposal | null, id: string | null, approval: Approval): PlannedAsk {
  const { by, reason, identity } = approval;
  const persons = [...(proposal?.approvals ?? []), approval].map((a) => a.by);
  const order = { proposal: id ?? proposal?.id ?? null, identity, persons };
  const request = { by, reason, acceptUnfencedSource: false, ...proposal?.request, approval: order };
  return { kind: proposal?.act ?? 'failover', group, target: proposal?.target ?? null, request };
}
