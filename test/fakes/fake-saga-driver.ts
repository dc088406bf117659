import {
  approvalRefusals,
  defaultPolicy,
  judgeOrder,
  type OrderJudgement,
  planSaga,
  type Refusal,
  type SagaRecord,
} from '#failover';
import type { Decisions } from '../../apps/controller/src/decision/decision.port.js';
import { proposalFacts } from '../../apps/controller/src/decision/group-facts.js';
import type { Leadership } from '../../apps/controller/src/leadership/leadership.port.js';
import type { AuthorityStore, GroupRow } from '../../apps/controller/src/persistence/authority-store.port.js';
import { aSaga } from '../../apps/controller/src/persistence/conformance/builders.js';
import type {
  Also,
  PlannedAnswer,
  PlannedAsk,
  Rehearsal,
  SagaDriver,
} from '../../apps/controller/src/saga/saga.port.js';

/** Opens rows in a store and drives nothing: for the HTTP side alone. */
export class FakeSagaDriver implements SagaDriver {
  refusals: readonly Refusal[] = [];
  abortAnswer: Awaited<ReturnType<SagaDriver['abort']>> = 'aborted';
  readonly asked: PlannedAsk[] = [];
  /** The row as the planner saw it last, where that is not what it is now. */
  staleRow: GroupRow | null = null;

  constructor(
    private readonly store: AuthorityStore,
    private readonly leadership: Leadership,
    private readonly decisions: Decisions,
  ) {}

  async start(): Promise<void> {}
  async unfenceActive(): Promise<void> {}
  async fenceStandbys(): Promise<void> {}
  async stopLoop(): Promise<void> {}
  async dropReached(): Promise<void> {}
  async survey(): Promise<void> {}
  async adopt(): Promise<void> {}

  open(): null {
    return null;
  }

  async rehearse(ask: PlannedAsk): Promise<Rehearsal> {
    const row = (await this.store.groups()).find((g) => g.name === ask.group);
    const target = ask.target ?? 'b';
    const kind = ask.request.rejoin?.choice === 'rebuild' ? 'rebuild' : ask.kind;
    const plan = planSaga({ kind, group: ask.group, source: 'a', target, maxOpenMs: 300_000 });
    const order = this.order(ask);
    const refusals = [
      ...this.refusals,
      ...this.approval(ask, this.staleRow ?? row ?? null),
      ...(order?.refusals ?? []),
    ];
    return { target, epoch: row?.epoch ?? 0, refusals, plan, ...(order === null ? {} : { loss: order.loss }) };
  }

  /** An order too is judged by the real rules. */
  private order({ group, target, request: { force } }: PlannedAsk): OrderJudgement | null {
    if (force === undefined) return null;
    const { snapshot, decision } = this.decisions.evaluate(group);
    return judgeOrder(snapshot, defaultPolicy, decision, { target: target ?? '', force, sinceSwitchRecords: null });
  }

  /** An approval is asked of the real rules, on the snapshot that the test laid down and the proposal in the store. */
  private approval({ group, request }: PlannedAsk, row: GroupRow | null): readonly Refusal[] {
    if (request.approval === undefined) return [];
    const { snapshot, decision } = this.decisions.evaluate(group);
    const proposal = row?.proposal ? proposalFacts(row.proposal, Date.now()) : null;
    return approvalRefusals({ ...snapshot, group: { ...snapshot.group, proposal } }, decision, request.approval);
  }

  async request(ask: PlannedAsk, also: Also): Promise<PlannedAnswer> {
    this.asked.push(ask);
    const rehearsal = await this.rehearse(ask);
    if (rehearsal.refusals.length > 0) return { rehearsal, saga: null };
    const { term, me } = this.leadership.current();
    const row = aSaga(`saga-${this.asked.length}`, ask.group, {
      ...{
        kind: rehearsal.plan.kind,
        trigger: 'operator',
        fromEpoch: rehearsal.epoch,
        epoch: rehearsal.epoch + 7,
        term,
      },
    });
    const saga: SagaRecord = { ...row, journal: [] };
    await this.store.transact(term, me, async (tx) => {
      await tx.openSaga(row);
      await also(tx, saga, rehearsal);
    });
    return { rehearsal, saga };
  }

  async abort(): ReturnType<SagaDriver['abort']> {
    return this.abortAnswer;
  }
}
