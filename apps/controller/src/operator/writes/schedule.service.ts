import { Inject, Injectable } from '@nestjs/common';
import type { Json, Refusal, ScheduledSwitch } from '#failover';
import { newId } from '#platform';
import { DECISIONS } from '../../decision/decision.port.js';
import type { Decisions } from '../../decision/decision.port.js';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../../persistence/authority-store.port.js';
import type { AuthorityStore, AuthorityTx, GroupRow } from '../../persistence/authority-store.port.js';
import { SAGA_DRIVER } from '../../saga/saga.port.js';
import type { PlannedAsk, SagaDriver } from '../../saga/saga.port.js';
import { notFound } from '../http/problem.js';
import type { Caller, WriteHeaders } from '../http/write.guard.js';
import { scheduledOf } from '../views/group.view.js';
import { toJson } from '../views/json.js';
import { actor, iso } from './acts.js';
import { KeptAnswers } from './kept-answers.js';
import type { WriteAnswer } from './kept-answers.js';
import { plannedMembers } from './planned-body.js';
import { mustBeAllowed, mustBeAt, starting } from './saga-problems.js';
import type { AbortBody } from './schemas.js';

const ACCEPTED = 202;
const MAX_AHEAD_MS = 30 * 86_400_000;

type Order = Readonly<{
  ask: PlannedAsk;
  dryRun: boolean;
  headers: WriteHeaders;
  what: unknown;
  at: string;
  also?: (tx: AuthorityTx, saga: null) => Promise<void>;
}>;

/** `group`: of what was taken back before it began; null: a saga, which is followed as an operation. */
export type Aborted = Readonly<{ answer: WriteAnswer; group: string | null }>;

/**
 * A switchover at a time. What would refuse it now is told, and does not keep it from being scheduled: it is asked again
 * then, by the leader of that time, and refused with an alert.
 */
@Injectable()
export class Schedule {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(DECISIONS) private readonly decisions: Decisions,
    @Inject(SAGA_DRIVER) private readonly sagas: SagaDriver,
    @Inject(KeptAnswers) private readonly answers: KeptAnswers,
  ) {}

  async plan(order: Order): Promise<WriteAnswer> {
    const { headers, what, dryRun } = order;
    if (dryRun) return (await this.check(order)).answer;
    return await this.answers.once(headers.key, what, async (bodyHash) => {
      const checked = await this.check(order);
      await this.write(order, checked, bodyHash);
      return checked.answer;
    });
  }

  /** Takes a scheduled switchover back. Null: nothing of that id is scheduled, or was taken back with that key. */
  async takeBack(id: string, body: AbortBody, of: Readonly<{ key: string; caller: Caller }>): Promise<Aborted | null> {
    const kept = await this.store.idempotent(of.key);
    const row = (await this.store.groups()).find((r) => r.scheduled?.id === id);
    const group = row?.name ?? (kept === null ? null : takenBackIn(kept.body, id));
    if (group === null) return null;
    const answer = await this.answers.once(of.key, [id, 'abort', body], async (bodyHash) => {
      const answered = {
        status: ACCEPTED,
        body: toJson({ saga: id, group, outcome: 'aborted', scheduled: true }),
      };
      const { term, me } = this.leadership.current();
      await this.store.transact(term, me, async (tx) => {
        const now = await tx.group(group);
        if (now?.scheduled?.id !== id) throw unknown(id);
        const said = { by: actor(body.by), reason: body.reason, caller: of.caller };
        await tx.saveGroup({ ...now, scheduled: null });
        await this.note(tx, now, now.scheduled, { ...said, action: 'scheduled switchover taken back' });
        await tx.rememberAnswer(of.key, { bodyHash, at: iso(Date.now()), ...answered });
      });
      return answered;
    });
    return { answer, group };
  }

  private async check({ ask, dryRun, headers, at }: Order) {
    const rehearsal = await this.sagas.rehearse(ask);
    if (rehearsal === null) throw starting();
    mustBeAt(ask.group, rehearsal.epoch, headers.epoch);
    const row = (await this.store.groups()).find((r) => r.name === ask.group) ?? null;
    const never = rehearsal.refusals.filter(({ name }) => WILL_NOT_PASS.has(name));
    mustBeAllowed(ask, [...timeRefusals(at), ...slotRefusals(row), ...never]);
    const scheduled: ScheduledSwitch = {
      ...{ id: newId(), act: 'switchover', target: rehearsal.target, at: iso(Date.parse(at)) },
      ...{ epoch: rehearsal.epoch, askedAt: iso(Date.now()), request: ask.request },
    };
    const standing = rehearsal.refusals.length;
    const now =
      standing === 0 ? '' : `; ${standing} ${standing === 1 ? 'reason stands' : 'reasons stand'} in its way now`;
    const summary = `switchover ${rehearsal.plan.source} → ${rehearsal.target} scheduled for ${scheduled.at}${now}`;
    const more = {
      ...{ dryRun, changed: !dryRun, summary, blockedBy: rehearsal.refusals },
      ...(dryRun ? {} : { scheduled: scheduledOf(scheduled) }),
    };
    const body = toJson({ ...plannedMembers(ask, rehearsal, null), ...more });
    return { scheduled, answer: { status: ACCEPTED, body } };
  }

  private async write(
    { ask, headers, also }: Order,
    { scheduled, answer }: Readonly<{ scheduled: ScheduledSwitch; answer: WriteAnswer }>,
    bodyHash: string,
  ): Promise<void> {
    const { term, me } = this.leadership.current();
    const { by, reason } = ask.request;
    await this.store.transact(term, me, async (tx) => {
      const before = await tx.group(ask.group);
      if (before === null) throw starting();
      mustBeAt(ask.group, before.epoch, scheduled.epoch);
      mustBeAllowed(ask, slotRefusals(before));
      await tx.saveGroup({ ...before, scheduled });
      await this.note(tx, before, scheduled, { by, reason, caller: headers.caller, action: 'switchover scheduled' });
      await also?.(tx, null);
      await tx.rememberAnswer(headers.key, { bodyHash, at: scheduled.askedAt, ...answer });
    });
  }

  private async note(
    tx: AuthorityTx,
    { name: group, epoch }: GroupRow,
    scheduled: ScheduledSwitch,
    said: Readonly<{ by: string; reason: string; caller: Caller; action: string }>,
  ): Promise<void> {
    const { by, reason, caller, action } = said;
    const common = { at: iso(Date.now()), group, term: this.leadership.current().term, epoch };
    const detail: Json = toJson({ ...caller, scheduled });
    const summary = `${by}: ${action}: ${scheduled.target} at ${scheduled.at}: ${reason}`;
    const row = this.decisions.latest(group)?.decision.row ?? null;
    await tx.appendAudit({ ...common, actor: by, action, reason, detail });
    await tx.appendEvent({ ...common, type: 'operator', row, summary, detail });
  }
}

/** Reasons that no time takes away; all others may be gone when it is due. */
const WILL_NOT_PASS: ReadonlySet<string> = new Set(['WRONG_TARGET', 'NO_PROPOSAL', 'PROPOSAL_EXPIRED', 'SAME_PERSON']);

function timeRefusals(at: string): readonly Refusal[] {
  const aheadMs = Date.parse(at) - Date.now();
  if (aheadMs > 0 && aheadMs <= MAX_AHEAD_MS) return [];
  const detail = aheadMs > 0 ? `${at} is more than 30 d ahead` : `${at} is over`;
  return [{ name: 'WRONG_TIME', detail, liftedBy: 'a time ahead, by at most 30 d' }];
}

function slotRefusals(row: GroupRow | null): readonly Refusal[] {
  const taken = row?.scheduled ?? null;
  if (taken === null) return [];
  const detail = `a switchover to ${taken.target} is scheduled for ${taken.at} by ${taken.request.by}`;
  return [{ name: 'SCHEDULED_ALREADY', detail, liftedBy: `pointsman abort ${taken.id} --reason "…"` }];
}

/** The group of what a kept answer says was taken back; null: it is another answer. */
function takenBackIn(body: Json, id: string): string | null {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return null;
  const members = new Map(Object.entries(body));
  const group = members.get('group');
  return members.get('scheduled') === true && members.get('saga') === id && typeof group === 'string' ? group : null;
}

const unknown = (id: string) =>
  notFound(`Saga ${id}`, 'List them with GET /v1/sagas?group=<group>; what is scheduled is shown with its group.');
