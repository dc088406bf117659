import { Body, Controller, Inject, Param, Query, Req } from '@nestjs/common';
import type { Request } from 'express';
import type { Json } from '#failover';
import { newId } from '#platform';
import { alertId } from '../alerting/alerting.port.js';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import { ALERT_STATES } from '../persistence/alerts.port.js';
import type { Alert, AlertState } from '../persistence/alerts.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore, AuthorityTx } from '../persistence/authority-store.port.js';
import { ROUTES } from './contract/routes.js';
import { notFound, Problem } from './http/problem.js';
import { queryInt } from './http/query.js';
import { Serves } from './http/serves.decorator.js';
import { callerOf, writeKey } from './http/write.guard.js';
import { toJson } from './views/json.js';
import { actor } from './writes/acts.js';
import { KeptAnswers } from './writes/kept-answers.js';
import type { WriteAnswer } from './writes/kept-answers.js';
import { alertTestSchema, resendSchema } from './writes/schemas.js';
import type { AlertTestBody, ResendBody } from './writes/schemas.js';

/** What was told to whom; what could not be told is told again on demand. */
@Controller()
export class AlertsController {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(KeptAnswers) private readonly answers: KeptAnswers,
  ) {}

  @Serves(ROUTES.alerts)
  async list(@Query('state') state?: string, @Query('limit') limit?: string) {
    const rows = await this.store.alerts(stateOf(state), queryInt('limit', limit, ROUTES.alerts.query.limit));
    return { alerts: rows };
  }

  @Serves(ROUTES.alert)
  async one(@Param('id') id: string) {
    const row = await this.store.alert(id);
    if (row === null) throw unknownAlert(id);
    return row;
  }

  /** A dead letter begins a new round at every receiver that was given up on. */
  @Serves(ROUTES.resendAlert)
  async resend(
    @Param('id') id: string,
    @Body({ schema: resendSchema }) body: ResendBody,
    @Req() req: Request,
  ): Promise<Json> {
    const answer = await this.answers.once(writeKey(req), ['alert-resend', id, body], async (bodyHash) => {
      if ((await this.store.alert(id)) === null) throw unknownAlert(id);
      return await this.write(req, { action: 'alert-resend', of: body, bodyHash }, async (tx) => {
        const receivers = await tx.resendAlert(id, body.receivers ?? null);
        if (receivers.length === 0) throw nothingDead();
        const resent = { alert: id, receivers };
        return { detail: resent, answer: resent };
      });
    });
    return answer.body;
  }

  /** A real alert on every way there is, and its end, so that nothing stays open at the receivers. */
  @Serves(ROUTES.testAlert)
  async test(@Body({ schema: alertTestSchema }) body: AlertTestBody, @Req() req: Request): Promise<Json> {
    const answer = await this.answers.once(writeKey(req), ['alert-test', body], async (bodyHash) => {
      const { term } = this.leadership.current();
      const incident = `test-${newId()}`;
      const at = new Date().toISOString();
      const common = { incident, group: 'none', row: null, blockers: [], term, epoch: 0, at };
      const idOf = (type: Alert['type']) => alertId({ group: common.group, incident, type, epoch: 0 });
      const alerts: readonly Alert[] = [
        { ...common, id: idOf('test'), type: 'test', reason: `test by ${actor(body.by)}: ${body.reason}` },
        { ...common, id: idOf('resolved'), type: 'resolved', reason: 'the test is over', of: ['test'] },
      ];
      const shown = alerts.map(({ id, type }) => ({ id, type }));
      return await this.write(req, { action: 'alert-test', of: body, bodyHash }, async (tx) => {
        for (const alert of alerts) await tx.enqueueAlert(alert);
        return { detail: { incident }, answer: { incident, alerts: shown } };
      });
    });
    return answer.body;
  }

  /** The act, its audit row and the answer kept for its key in one transaction: all of it happened, or nothing. */
  private async write(
    req: Request,
    { action, of, bodyHash }: Readonly<{ action: string; of: AlertTestBody; bodyHash: string }>,
    work: (tx: AuthorityTx) => Promise<Done>,
  ): Promise<WriteAnswer> {
    const { term, me } = this.leadership.current();
    const at = new Date().toISOString();
    const { reason, by } = of;
    return this.store.transact(term, me, async (tx) => {
      const { detail, answer } = await work(tx);
      await tx.appendAudit({
        ...{ at, actor: actor(by), action, group: null, reason, term, epoch: null },
        detail: toJson({ ...callerOf(req), ...detail }),
      });
      const kept = { status: ACCEPTED, body: toJson(answer) };
      await tx.rememberAnswer(writeKey(req), { at, bodyHash, ...kept });
      return kept;
    });
  }
}

/** What an act did: for its audit row, and for whoever asked. */
type Done = Readonly<{ detail: object; answer: object }>;

const ACCEPTED = 202;

const nothingDead = (): Problem =>
  new Problem({
    status: 409,
    code: 'nothing_dead',
    title: 'No receiver was given up on',
    detail: 'Only dead letters are sent again; GET /v1/alerts?state=dead lists them.',
  });

const unknownAlert = (id: string): Problem => notFound(`Alert ${id}`, 'List them with GET /v1/alerts.');

const stateOf = (text: string | undefined): AlertState => {
  const state = ALERT_STATES.find((each) => each === (text ?? 'all'));
  if (state !== undefined) return state;
  const detail = `expected one of ${ALERT_STATES.join(', ')}, got "${text ?? ''}"`;
  throw new Problem({
    status: 400,
    code: 'invalid_query',
    title: 'Query parameter state is not valid',
    detail,
    errors: [{ pointer: '?state', detail }],
  });
};
