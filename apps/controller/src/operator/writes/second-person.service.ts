import { Inject, Injectable } from '@nestjs/common';
import { conditionOf, type OrderedAct, type Proposal, type Refusal } from '#failover';
import { newId } from '#platform';
import { DECISIONS } from '../../decision/decision.port.js';
import type { Decisions } from '../../decision/decision.port.js';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../../persistence/authority-store.port.js';
import type { AuthorityStore } from '../../persistence/authority-store.port.js';
import { SAGA_DRIVER } from '../../saga/saga.port.js';
import type { PlannedAsk, Rehearsal, SagaDriver } from '../../saga/saga.port.js';
import { Groups } from '../groups.service.js';
import type { WriteHeaders } from '../http/write.guard.js';
import { toJson } from '../views/json.js';
import { iso } from './acts.js';
import { KeptAnswers } from './kept-answers.js';
import type { WriteAnswer } from './kept-answers.js';
import { plannedMembers } from './planned-body.js';
import { mustBeAllowed, mustBeAt, proposalMoved, starting } from './saga-problems.js';

const ACCEPTED = 202;

type Order = Readonly<{ ask: PlannedAsk; dryRun: boolean; headers: WriteHeaders; what: unknown }>;
type Proposed = Readonly<{ answer: WriteAnswer; proposal: Proposal }>;

/**
 * Orders that policy wants a second person for. An order is judged as if it were carried out now, then written down as a
 * proposal whose first approval is the person who asked; the second one begins it, and it is judged anew then.
 */
@Injectable()
export class SecondPerson {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(DECISIONS) private readonly decisions: Decisions,
    @Inject(SAGA_DRIVER) private readonly sagas: SagaDriver,
    @Inject(Groups) private readonly groups: Groups,
    @Inject(KeptAnswers) private readonly answers: KeptAnswers,
  ) {}

  isNeeded({ kind, group }: PlannedAsk): boolean {
    return this.groups.config(group).policy.secondPersonFor.some((act) => act === kind);
  }

  async propose(order: Order): Promise<WriteAnswer> {
    const { headers, what } = order;
    if (order.dryRun) return (await this.check(order)).answer;
    return await this.answers.once(headers.key, what, async (bodyHash) => {
      const proposed = await this.check(order);
      await this.write(order, proposed, bodyHash);
      return proposed.answer;
    });
  }

  /** The same questions as of the act itself, and whether the group's one proposal is free. */
  private async check({ ask, dryRun, headers }: Order): Promise<Proposed> {
    const rehearsal = await this.sagas.rehearse(ask);
    if (rehearsal === null) throw starting();
    mustBeAt(ask.group, rehearsal.epoch, headers.epoch);
    mustBeAllowed(ask, [...(await this.slotTaken(ask.group)), ...rehearsal.refusals]);
    const proposal = this.proposalOf(ask, rehearsal, headers);
    const what = {
      ...{ dryRun, changed: !dryRun },
      summary: `${ask.kind} ${rehearsal.plan.source} → ${rehearsal.target}: 1 of 2 persons; another one must accept it`,
      ...(dryRun ? {} : { proposal }),
    };
    return {
      answer: { status: ACCEPTED, body: toJson({ ...plannedMembers(ask, rehearsal, null), ...what }) },
      proposal,
    };
  }

  private async slotTaken(group: string): Promise<readonly Refusal[]> {
    const open = (await this.store.groups()).find((row) => row.name === group)?.proposal;
    if (open?.state !== 'open') return [];
    const detail = `proposal ${open.id} of this group is open: ${open.act} ${open.source} → ${open.target}`;
    const liftedBy = `pointsman approve ${group} --reason "…", or pointsman reject ${group} --reason "…"`;
    return [{ name: 'PROPOSAL_OPEN', detail, liftedBy }];
  }

  private proposalOf(ask: PlannedAsk, rehearsal: Rehearsal, { caller }: WriteHeaders): Proposal {
    const { group, request } = ask;
    const { by, reason } = request;
    const { decision } = this.decisions.evaluate(group);
    const { source } = rehearsal.plan;
    const nowMs = Date.now();
    const at = iso(nowMs);
    return {
      ...{ id: newId(), origin: 'person', act: actOf(ask), row: decision.row, state: 'open', closed: null },
      condition: conditionOf(decision.verdicts[source]?.name ?? 'UNKNOWN'),
      ...{ source, target: rehearsal.target, epoch: rehearsal.epoch, openedAt: at, after: null, needed: 2 },
      expiresAt: iso(nowMs + this.groups.config(group).policy.proposal.expiresMs),
      approvals: [{ identity: caller.authenticated, by, reason, at }],
      request,
      seen: toJson({ reasons: decision.reasons, loss: rehearsal.loss ?? decision.loss }),
    };
  }

  private async write({ ask, headers }: Order, { answer, proposal }: Proposed, bodyHash: string): Promise<void> {
    const { term, me } = this.leadership.current();
    const { group } = ask;
    const { openedAt: at, row, id, act, source, target, epoch, request } = proposal;
    await this.store.transact(term, me, async (tx) => {
      const before = await tx.group(group);
      if (before === null || before.epoch !== epoch || before.proposal?.state === 'open') throw proposalMoved(group);
      await tx.saveGroup({ ...before, proposal });
      const { by, reason } = ask.request;
      const common = { at, group, term, epoch };
      const detail = toJson({ ...headers.caller, proposal: id, request });
      const summary = `${by}: asks for ${act} ${source} → ${target}, another person must accept it: ${reason}`;
      await tx.appendAudit({ ...common, actor: by, action: `${act} proposed`, reason, detail });
      await tx.appendEvent({ ...common, type: 'operator', row, summary, detail });
      await tx.rememberAnswer(headers.key, { bodyHash, at, ...answer });
    });
  }
}

const actOf = ({ kind }: PlannedAsk): OrderedAct => {
  if (kind === 'rejoin') throw new Error('a rejoin moves no traffic: policy cannot want a second person for it');
  return kind;
};
