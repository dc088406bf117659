import { Inject, Injectable } from '@nestjs/common';
import type { SagaKind, SagaRecord, SagaRequest } from '#failover';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import { AUTHORITY_STORE, AnswerExistsError, LostLeadershipError } from '../../persistence/authority-store.port.js';
import type { AuthorityStore, AuthorityTx } from '../../persistence/authority-store.port.js';
import { SAGA_DRIVER } from '../../saga/saga.port.js';
import type { PlannedAsk, SagaDriver } from '../../saga/saga.port.js';
import { Groups } from '../groups.service.js';
import { notFound } from '../http/problem.js';
import { noLeader } from '../http/write.guard.js';
import type { Caller, WriteHeaders } from '../http/write.guard.js';
import { toJson } from '../views/json.js';
import { actor } from './acts.js';
import { KeptAnswers } from './kept-answers.js';
import type { WriteAnswer } from './kept-answers.js';
import { plannedBody } from './planned-body.js';
import { asProblem, closed, mustBeAllowed, mustBeAt, starting, tooLate } from './saga-problems.js';
import type { AbortBody, PlannedBody } from './schemas.js';
import { type Aborted, Schedule } from './schedule.service.js';
import { SecondPerson } from './second-person.service.js';

const ACCEPTED = 202;
const NOT_KNOWN = 'List them with GET /v1/sagas?group=<group>; what is scheduled is shown with its group.';

export type AskedKind = Exclude<SagaKind, 'rebuild'>;
export type AskedBody = PlannedBody & Pick<SagaRequest, 'rejoin' | 'force' | 'at'>;

/** `what` tells repeats of a key apart; `also` is of the transaction that opens the saga. */
export type Opening = Readonly<{
  ask: PlannedAsk;
  dryRun: boolean;
  headers: WriteHeaders;
  what: unknown;
  /** `saga` null: it was scheduled. */
  also?: (tx: AuthorityTx, saga: SagaRecord | null) => Promise<void>;
}>;

/** Opens and aborts sagas for people. The rehearsal and the act ask the same questions of the same planner. */
@Injectable()
export class SagaWriter {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(SAGA_DRIVER) private readonly sagas: SagaDriver,
    @Inject(Groups) private readonly groups: Groups,
    @Inject(KeptAnswers) private readonly answers: KeptAnswers,
    @Inject(SecondPerson) private readonly second: SecondPerson,
    @Inject(Schedule) private readonly schedule: Schedule,
  ) {}

  async open(group: string, kind: AskedKind, body: AskedBody, headers: WriteHeaders): Promise<WriteAnswer> {
    this.groups.config(group);
    const { reason, acceptUnfencedSource } = body;
    const order = {
      ...(body.rejoin === undefined ? {} : { rejoin: body.rejoin }),
      ...(body.force === undefined ? {} : { force: body.force }),
      ...(body.at === undefined ? {} : { at: body.at }),
    };
    const request = { by: actor(body.by), reason, acceptUnfencedSource, ...order };
    const ask: PlannedAsk = { kind, group, target: body.target ?? null, request };
    const opening = { ask, dryRun: body.dryRun, headers, what: [group, kind, body] };
    return this.second.isNeeded(ask) ? await this.second.propose(opening) : await this.carryOut(opening);
  }

  /** At once, or at the time that the order names. */
  async carryOut(opening: Opening): Promise<WriteAnswer> {
    const { ask, headers, what } = opening;
    const { at } = ask.request;
    if (at !== undefined) return await this.schedule.plan({ ...opening, at });
    if (opening.dryRun) return await this.rehearse(ask, headers.epoch);
    return await this.answers.once(headers.key, what, (hash) => this.begin(opening, hash));
  }

  /** `aborted`, or `too-late: publish`: then the saga goes on. Who asked is in the audit either way. */
  async abort(id: string, body: AbortBody, of: Readonly<{ key: string; caller: Caller }>): Promise<Aborted> {
    const takenBack = await this.schedule.takeBack(id, body, of);
    if (takenBack !== null) return takenBack;
    const { key, caller } = of;
    // Looked for inside: a repeat of the same key gets the answer that was given, also when the saga has closed meanwhile.
    const answer = await this.answers.once(key, [id, 'abort', body], async (bodyHash) => {
      const saga = await this.store.saga(id);
      if (saga === null) throw notFound(`Saga ${id}`, NOT_KNOWN);
      if (saga.outcome !== null) throw closed(id, saga.outcome);
      await this.auditAbort(saga, body, caller);
      const how = await this.sagas.abort(id, `${actor(body.by)}: ${body.reason}`);
      if (how === null) throw noLeader('The saga is not driven here yet; try again.');
      if (how === 'finished') throw closed(id, (await this.store.saga(id))?.outcome ?? 'DONE');
      if (how !== 'aborted') throw tooLate(id);
      const answer = { status: ACCEPTED, body: toJson({ saga: id, group: saga.group, outcome: how }) };
      await this.keep(key, bodyHash, answer);
      return answer;
    });
    return { answer, group: null };
  }

  private async rehearse(ask: PlannedAsk, epoch: number): Promise<WriteAnswer> {
    const rehearsal = await this.sagas.rehearse(ask);
    if (rehearsal === null) throw starting();
    mustBeAt(ask.group, rehearsal.epoch, epoch);
    mustBeAllowed(ask, rehearsal.refusals);
    return { status: ACCEPTED, body: plannedBody(ask, rehearsal, null) };
  }

  private async begin({ ask, headers, also }: Opening, bodyHash: string): Promise<WriteAnswer> {
    const { key, epoch, caller } = headers;
    let answer: WriteAnswer | null = null;
    try {
      const begun = await this.sagas.request(ask, async (tx, saga, rehearsal) => {
        mustBeAt(ask.group, saga.fromEpoch, epoch);
        answer = { status: ACCEPTED, body: plannedBody(ask, rehearsal, saga.id) };
        const at = new Date().toISOString();
        const { by, reason } = ask.request;
        await tx.appendAudit({
          ...{ at, actor: by, action: `${ask.kind} asked for`, group: ask.group, reason },
          detail: toJson({ ...caller, saga: saga.id, force: ask.request.force, loss: rehearsal.loss }),
          ...{ term: saga.term, epoch: saga.fromEpoch },
        });
        await also?.(tx, saga);
        await tx.rememberAnswer(key, { bodyHash, at, ...answer });
      });
      if (begun === null) throw starting();
      mustBeAllowed(ask, begun.rehearsal.refusals);
    } catch (error) {
      throw asProblem(ask, error);
    }
    if (answer === null) throw starting();
    return answer;
  }

  private async auditAbort(saga: SagaRecord, { by, reason }: AbortBody, caller: Caller): Promise<void> {
    const { term, me } = this.leadership.current();
    const { id, group, epoch } = saga;
    const detail = { ...caller, saga: id };
    const row = { at: new Date().toISOString(), actor: actor(by), action: 'abort asked for', group, reason };
    await this.store.transact(term, me, (tx) => tx.appendAudit({ ...row, detail, term, epoch }));
  }

  private async keep(key: string, bodyHash: string, answer: WriteAnswer): Promise<void> {
    const { term, me } = this.leadership.current();
    const at = new Date().toISOString();
    try {
      await this.store.transact(term, me, (tx) => tx.rememberAnswer(key, { bodyHash, at, ...answer }));
    } catch (error) {
      // The walk back is in the journal already: a repeat that finds no kept answer finds a closed saga.
      if (!(error instanceof LostLeadershipError) && !(error instanceof AnswerExistsError)) throw error;
    }
  }
}
