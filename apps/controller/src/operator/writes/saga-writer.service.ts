import { Inject, Injectable } from '@nestjs/common';
import type { Json, Refusal, SagaKind, SagaRequest } from '#failover';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import {
  AUTHORITY_STORE,
  AnswerExistsError,
  LostLeadershipError,
  OpenSagaExistsError,
} from '../../persistence/authority-store.port.js';
import type { AuthorityStore } from '../../persistence/authority-store.port.js';
import { SAGA_DRIVER, StaleGroupError } from '../../saga/saga.port.js';
import type { PlannedAsk, Rehearsal, SagaDriver } from '../../saga/saga.port.js';
import { Groups } from '../groups.service.js';
import { Problem, notFound } from '../http/problem.js';
import { noLeader, staleEpoch } from '../http/write.guard.js';
import type { WriteHeaders } from '../http/write.guard.js';
import { toJson } from '../views/json.js';
import { KeptAnswers } from './kept-answers.js';
import type { WriteAnswer } from './kept-answers.js';
import type { AbortBody, PlannedBody } from './schemas.js';

const ACCEPTED = 202;
const actor = (name: string | undefined): string => `operator:${name ?? 'unnamed'}`;

/** Opens and aborts sagas for people. The rehearsal and the act ask the same questions of the same planner. */
@Injectable()
export class SagaWriter {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(SAGA_DRIVER) private readonly sagas: SagaDriver,
    @Inject(Groups) private readonly groups: Groups,
    @Inject(KeptAnswers) private readonly answers: KeptAnswers,
  ) {}

  async open(
    group: string,
    kind: Extract<SagaKind, 'switchover' | 'failback' | 'rejoin'>,
    body: PlannedBody & Pick<SagaRequest, 'rejoin'>,
    headers: WriteHeaders,
  ): Promise<WriteAnswer> {
    this.groups.config(group);
    const { reason, acceptUnfencedSource } = body;
    const order = body.rejoin === undefined ? {} : { rejoin: body.rejoin };
    const request = { by: actor(body.by), reason, acceptUnfencedSource, ...order };
    const ask: PlannedAsk = { kind, group, target: body.target ?? null, request };
    if (body.dryRun) return await this.rehearse(ask, headers.epoch);
    return await this.answers.once(headers.key, [group, kind, body], (hash) => this.begin(ask, headers, hash));
  }

  /** `aborted`, or `too-late: publish`: then the saga goes on. */
  async abort(id: string, body: AbortBody, key: string): Promise<WriteAnswer> {
    const saga = await this.store.saga(id);
    if (saga === null) throw notFound(`Saga ${id}`, 'List them with GET /v1/sagas?group=<group>.');
    if (saga.outcome !== null) throw closed(id, saga.outcome);
    return await this.answers.once(key, [id, 'abort', body], async (bodyHash) => {
      const how = await this.sagas.abort(id, `${actor(body.by)}: ${body.reason}`);
      if (how === null) throw noLeader('The saga is not driven here yet; try again.');
      if (how !== 'aborted') throw tooLate(id);
      const answer = { status: ACCEPTED, body: toJson({ saga: id, group: saga.group, outcome: how }) };
      await this.keep(key, bodyHash, answer);
      return answer;
    });
  }

  private async rehearse(ask: PlannedAsk, epoch: number): Promise<WriteAnswer> {
    const rehearsal = await this.sagas.rehearse(ask);
    if (rehearsal === null) throw starting();
    mustBeAt(ask.group, rehearsal.epoch, epoch);
    mustBeAllowed(ask, rehearsal.refusals);
    return { status: ACCEPTED, body: plannedBody(ask, rehearsal, null) };
  }

  private async begin(ask: PlannedAsk, headers: WriteHeaders, bodyHash: string): Promise<WriteAnswer> {
    const { key, epoch, caller } = headers;
    let answer: WriteAnswer | null = null;
    try {
      const begun = await this.sagas.request(ask, async (tx, saga, rehearsal) => {
        mustBeAt(ask.group, saga.fromEpoch, epoch);
        answer = { status: ACCEPTED, body: plannedBody(ask, rehearsal, saga.id) };
        const at = new Date().toISOString();
        await tx.appendAudit({
          ...{
            at,
            actor: ask.request.by,
            action: `${ask.kind} asked for`,
            group: ask.group,
            reason: ask.request.reason,
          },
          ...{ detail: { ...caller, saga: saga.id }, term: saga.term, epoch: saga.fromEpoch },
        });
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

function mustBeAt(group: string, now: number, seen: number): void {
  if (now !== seen) throw staleEpoch(`Group ${group} is at epoch ${now}, not ${seen}: look again before you act.`);
}

function mustBeAllowed(ask: PlannedAsk, refusals: readonly Refusal[]): void {
  if (refusals.length === 0) return;
  throw new Problem({
    status: 409,
    code: 'refused',
    title: `The ${ask.kind} of ${ask.group} is refused`,
    detail: `${refusals.length} ${refusals.length === 1 ? 'reason stands' : 'reasons stand'} in its way; nothing was changed.`,
    blockedBy: refusals,
  });
}

function asProblem(ask: PlannedAsk, error: unknown): unknown {
  if (error instanceof OpenSagaExistsError) {
    return new Problem({
      status: 409,
      code: 'refused',
      title: `The ${ask.kind} of ${ask.group} is refused`,
      detail: 'Another saga of the group is open; nothing was changed.',
      blockedBy: [{ name: 'SAGA_OPEN', detail: error.message, liftedBy: 'its end, or pointsman abort' }],
    });
  }
  if (error instanceof StaleGroupError) return staleEpoch(error.message);
  if (error instanceof LostLeadershipError) return noLeader('Leadership was lost while writing; nothing was changed.');
  return error;
}

const plannedBody = (ask: PlannedAsk, rehearsal: Rehearsal, saga: string | null): Json =>
  toJson({
    group: ask.group,
    action: ask.kind,
    dryRun: saga === null,
    changed: saga !== null,
    summary: `${ask.kind} ${rehearsal.plan.source} → ${rehearsal.target}`,
    epoch: rehearsal.epoch,
    saga,
    source: rehearsal.plan.source,
    target: rehearsal.target,
    steps: rehearsal.plan.steps.map(({ step, phase, effect, compensation, deadlineMs }) => ({
      ...{ step, phase, effect, compensation, deadlineMs },
    })),
  });

const starting = (): Problem => noLeader('The leader is still starting; try again.');

const closed = (id: string, outcome: string): Problem =>
  new Problem({
    status: 409,
    code: 'saga_closed',
    title: `Saga ${id} is closed`,
    detail: `It ended ${outcome}: there is nothing to abort.`,
  });

const tooLate = (id: string): Problem =>
  new Problem({
    status: 409,
    code: 'too_late',
    title: 'too-late: publish',
    detail: `Saga ${id} has begun to publish and goes forward. To go back, let it end and ask for a failback.`,
    blockedBy: [{ name: 'PUBLISH_BEGUN', detail: 'the point of no return', liftedBy: 'pointsman failback' }],
  });
