import { Controller, Inject, Param, Query } from '@nestjs/common';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import { AGENT_GATEWAY } from '../observation/observation.port.js';
import type { AgentGateway } from '../observation/observation.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { ROUTES } from './contract/routes.js';
import { Clients } from './clients.service.js';
import { Explain } from './explain.service.js';
import { Groups } from './groups.service.js';
import { Problem, notFound } from './http/problem.js';
import { queryInt } from './http/query.js';
import { Serves } from './http/serves.decorator.js';
import { OPERATOR_OPTIONS } from './operator.options.js';
import type { OperatorOptions } from './operator.options.js';
import { operationView } from './views/operation.view.js';
import { actOperationView, keyOfOperation } from './writes/act-operation.js';
import { ReadinessReports } from './readiness.service.js';
import { eventView } from './views/event.view.js';

/** Everything that can be asked; answered by every controller from what it knows itself. */
@Controller()
export class ReadsController {
  constructor(
    @Inject(OPERATOR_OPTIONS) private readonly options: OperatorOptions,
    @Inject(Groups) private readonly groups: Groups,
    @Inject(Explain) private readonly explain: Explain,
    @Inject(Clients) private readonly clients: Clients,
    @Inject(ReadinessReports) private readonly readiness: ReadinessReports,
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(AGENT_GATEWAY) private readonly gateway: AgentGateway,
  ) {}

  @Serves(ROUTES.groups)
  async allGroups() {
    return { groups: await this.groups.all() };
  }

  @Serves(ROUTES.group)
  oneGroup(@Param('group') group: string) {
    return this.groups.one(group);
  }

  @Serves(ROUTES.explain)
  explainGroup(@Param('group') group: string, @Query('event') event?: string) {
    if (event === undefined) return this.explain.now(group);
    return this.explain.past(group, queryInt('event', event, ROUTES.explain.query.event));
  }

  @Serves(ROUTES.history)
  async history(@Param('group') group: string, @Query('limit') limit?: string) {
    this.groups.config(group);
    const events = await this.store.lastEvents(queryInt('limit', limit, ROUTES.history.query.limit), group);
    return { group, events: events.map(eventView) };
  }

  @Serves(ROUTES.clients)
  clientsOf(@Param('group') group: string) {
    return this.clients.of(group);
  }

  @Serves(ROUTES.readiness)
  readinessOf(@Param('group') group: string) {
    return this.readiness.of(group);
  }

  @Serves(ROUTES.sagas)
  async sagas(@Query('group') group?: string, @Query('limit') limit?: string) {
    if (group === undefined) {
      throw new Problem({
        status: 400,
        code: 'invalid_query',
        title: 'Query parameter group is missing',
        detail: 'Ask for the sagas of one group: /v1/sagas?group=<group>.',
      });
    }
    this.groups.config(group);
    return { group, sagas: await this.store.sagas(group, queryInt('limit', limit, ROUTES.sagas.query.limit)) };
  }

  @Serves(ROUTES.saga)
  async saga(@Param('id') id: string) {
    const saga = await this.store.saga(id);
    if (!saga) throw notFound(`Saga ${id}`, 'List them with GET /v1/sagas?group=<group>.');
    return saga;
  }

  /** What a 202 points to: how far an act has come. */
  @Serves(ROUTES.operation)
  async operation(@Param('id') id: string) {
    const key = keyOfOperation(id);
    const saga = key === null ? await this.store.saga(id) : null;
    if (saga !== null) return operationView(saga);
    const kept = key === null ? null : await this.store.idempotent(key);
    const act = kept === null ? null : actOperationView(id, kept);
    if (act === null) throw notFound(`Operation ${id}`, 'Its id is in the Location header of the 202.');
    return act;
  }

  @Serves(ROUTES.agents)
  agents() {
    return { controller: this.options.controllerId, agents: this.gateway.sessions() };
  }

  @Serves(ROUTES.controllers)
  async controllers() {
    const { leader, term, me, leading } = this.leadership.current();
    const rows = await this.store.controllers();
    return {
      answeredBy: { id: me, version: this.options.version, leading },
      leader: leader && { ...leader, term },
      time: new Date().toISOString(),
      controllers: rows.map((row) => ({ ...row, leader: row.id === leader?.id })),
    };
  }

  @Serves(ROUTES.audit)
  async audit(@Query('after') after?: string, @Query('limit') limit?: string) {
    const { query } = ROUTES.audit;
    return {
      audit: await this.store.audit(queryInt('after', after, query.after), queryInt('limit', limit, query.limit)),
    };
  }
}
