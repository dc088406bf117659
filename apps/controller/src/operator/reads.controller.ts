import { Controller, Get, Header, Inject, Param, Query, UseGuards } from '@nestjs/common';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import { AGENT_GATEWAY } from '../observation/observation.port.js';
import type { AgentGateway } from '../observation/observation.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { Clients } from './clients.service.js';
import { Explain } from './explain.service.js';
import { Groups } from './groups.service.js';
import { BearerGuard } from './http/bearer.guard.js';
import { Problem, notFound } from './http/problem.js';
import { queryInt } from './http/query.js';
import { OPERATOR_OPTIONS } from './operator.options.js';
import type { OperatorOptions } from './operator.options.js';
import { operationView } from './views/operation.view.js';
import { ReadinessReports } from './readiness.service.js';
import { eventView } from './views/event.view.js';

const LIST = { min: 1, max: 500, fallback: 50 };
const SEQ = { min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 0 };

/** Everything that can be asked; answered by every controller from what it knows itself. */
@Controller('v1')
@UseGuards(BearerGuard)
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

  @Get('groups')
  @Header('cache-control', 'no-store')
  async allGroups() {
    return { groups: await this.groups.all() };
  }

  @Get('groups/:group')
  @Header('cache-control', 'no-store')
  oneGroup(@Param('group') group: string) {
    return this.groups.one(group);
  }

  @Get('groups/:group/explain')
  @Header('cache-control', 'no-store')
  explainGroup(@Param('group') group: string, @Query('event') event?: string) {
    if (event === undefined) return this.explain.now(group);
    return this.explain.past(group, queryInt('event', event, { ...SEQ, min: 1 }));
  }

  @Get('groups/:group/history')
  @Header('cache-control', 'no-store')
  async history(@Param('group') group: string, @Query('limit') limit?: string) {
    this.groups.config(group);
    const events = await this.store.lastEvents(queryInt('limit', limit, LIST), group);
    return { group, events: events.map(eventView) };
  }

  @Get('groups/:group/clients')
  @Header('cache-control', 'no-store')
  clientsOf(@Param('group') group: string) {
    return this.clients.of(group);
  }

  @Get('groups/:group/readiness')
  @Header('cache-control', 'no-store')
  readinessOf(@Param('group') group: string) {
    return this.readiness.of(group);
  }

  @Get('sagas')
  @Header('cache-control', 'no-store')
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
    return { group, sagas: await this.store.sagas(group, queryInt('limit', limit, LIST)) };
  }

  @Get('sagas/:id')
  @Header('cache-control', 'no-store')
  async saga(@Param('id') id: string) {
    const saga = await this.store.saga(id);
    if (!saga) throw notFound(`Saga ${id}`, 'List them with GET /v1/sagas?group=<group>.');
    return saga;
  }

  /** What a 202 points to: how far an act has come. */
  @Get('operations/:id')
  @Header('cache-control', 'no-store')
  async operation(@Param('id') id: string) {
    const saga = await this.store.saga(id);
    if (!saga) throw notFound(`Operation ${id}`, 'Its id is in the Location header of the 202.');
    return operationView(saga);
  }

  @Get('agents')
  @Header('cache-control', 'no-store')
  agents() {
    return { controller: this.options.controllerId, agents: this.gateway.sessions() };
  }

  @Get('controllers')
  @Header('cache-control', 'no-store')
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

  @Get('audit')
  @Header('cache-control', 'no-store')
  async audit(@Query('after') after?: string, @Query('limit') limit?: string) {
    return { audit: await this.store.audit(queryInt('after', after, SEQ), queryInt('limit', limit, LIST)) };
  }
}
