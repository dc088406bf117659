import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Global, Module } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { pino } from 'pino';
import request from 'supertest';
import { defaultPolicy, explain, type Json } from '#failover';
import { LOGGER } from '#platform';
import { ALERTING_OPTIONS } from '../../apps/controller/src/alerting/alerting.options.js';
import { DECISIONS } from '../../apps/controller/src/decision/decision.port.js';
import { LEADERSHIP } from '../../apps/controller/src/leadership/leadership.port.js';
import { METRICS_OPTIONS } from '../../apps/controller/src/metrics/metrics.options.js';
import { MetricsModule } from '../../apps/controller/src/metrics/metrics.module.js';
import { AGENT_GATEWAY, CONSUMER_LAGS } from '../../apps/controller/src/observation/observation.port.js';
import type { AgentSession, ConsumerLag } from '../../apps/controller/src/observation/observation.port.js';
import { OperatorModule } from '../../apps/controller/src/operator/operator.module.js';
import { OPERATOR_OPTIONS } from '../../apps/controller/src/operator/operator.options.js';
import type { OperatorOptions } from '../../apps/controller/src/operator/operator.options.js';
import { AUTHORITY_STORE } from '../../apps/controller/src/persistence/authority-store.port.js';
import type { AuthorityStore, EventRow } from '../../apps/controller/src/persistence/authority-store.port.js';
import { SAGA_DRIVER } from '../../apps/controller/src/saga/saga.port.js';
import { aGroup, anAudit, lead } from '../../apps/controller/src/persistence/conformance/builders.js';
import { PUBLISHING } from '../../apps/controller/src/publishing/publishing.port.js';
import type { Publishing } from '../../apps/controller/src/publishing/publishing.port.js';
import { ContractCheck } from './contract-check.js';
import { FakeDecisions } from '../fakes/fake-decisions.js';
import { FakeSagaDriver } from '../fakes/fake-saga-driver.js';
import { FakeLeadership } from '../fakes/fake-leadership.js';
import type { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';

export const TOKEN = 'a-token-for-tests';
const EPOCH = 7;

const AGENT: AgentSession = {
  agent: 'agent-a',
  idc: 'a',
  bootId: 'b1',
  protocolVersion: 1,
  connected: true,
  lastReportAgeMs: 400,
  clusters: ['a', 'b'],
  goodbye: false,
};

const CONSUMER: ConsumerLag = {
  cluster: 'a',
  consumerGroup: 'billing',
  lagRecords: 40,
  observedAgeMs: 900,
  committedAgeMs: 2_100,
};

/** Answers nothing in time, as a config center that is away. */
const SILENT_CENTER: Pick<Publishing, 'read' | 'adoptions'> = {
  read: async () => null,
  adoptions: () => Promise.reject(new Error('the config center is away')),
};

/** `epoch` null: without If-Match. */
export type CallOptions = Readonly<{ key?: string; token?: string; epoch?: number | null }>;

/** Why something is refused, by name. */
export const names = (body: Readonly<{ blockedBy: readonly { name: string }[] }>): readonly string[] =>
  body.blockedBy.map((b) => b.name);

/** Every table of the store, as text: the same before and after, if nothing was written. */
export const everythingIn = ({ tables }: MemoryAuthorityDatabase): string =>
  JSON.stringify(tables, (_key, value: unknown) => (value instanceof Map ? [...value] : value));

/** Where controllers meet: in memory, or a real one. */
export type Database = Readonly<{ connect: (client: string) => AuthorityStore | Promise<AuthorityStore> }>;

/** One controller's HTTP side over fakes: real Nest, real sockets, everything behind the ports in memory. */
export class ApiApp {
  private constructor(
    readonly app: INestApplication,
    readonly url: string,
    readonly store: AuthorityStore,
    readonly leadership: FakeLeadership,
    readonly decisions: FakeDecisions,
    readonly sagas: FakeSagaDriver,
    private readonly contract: ContractCheck,
    /** JSON lines, as the controller's log would have them. */
    readonly logged: readonly string[],
  ) {}

  /** @param real what stands behind a port in its fake's place */
  static async start(
    id: string,
    database: Database,
    more: Partial<OperatorOptions> = {},
    publishing: Pick<Publishing, 'read' | 'adoptions'> = SILENT_CENTER,
    real: ReadonlyMap<symbol, unknown> = new Map(),
  ): Promise<ApiApp> {
    const leadership = new FakeLeadership({ id, advertise: '' });
    const store = await database.connect(id);
    const decisions = new FakeDecisions();
    const sagas = new FakeSagaDriver(store, leadership, decisions);
    const options: OperatorOptions = {
      controllerId: id,
      version: '0.0.1',
      token: TOKEN,
      rateLimit: { windowMs: 10_000, reads: 100_000, writes: 100_000 },
      groups: [
        {
          ...{ name: 'orders', clusters: ['a', 'b'], consumerGroups: ['billing'], principals: [] },
          ...{ policy: defaultPolicy, mode: 'observe' },
        },
      ],
      observerIdcs: ['a', 'b', 'c'],
      eventPollMs: 20,
      eventHeartbeatMs: 60,
      ...more,
    };
    const logged: string[] = [];
    const provided = new Map<symbol, unknown>([
      [AUTHORITY_STORE, store],
      [LEADERSHIP, leadership],
      [DECISIONS, decisions],
      [CONSUMER_LAGS, { of: () => [CONSUMER] }],
      [AGENT_GATEWAY, { sessions: () => [AGENT] }],
      [PUBLISHING, publishing],
      [OPERATOR_OPTIONS, options],
      [METRICS_OPTIONS, { groups: ['orders'], version: '0.0.1' }],
      [ALERTING_OPTIONS, { receivers: [] }],
      [SAGA_DRIVER, sagas],
      ...real,
      [LOGGER, pino({ level: 'info' }, { write: (line: string) => void logged.push(line) })],
    ]);
    @Global()
    @Module({
      providers: [...provided].map(([provide, useValue]) => ({ provide, useValue })),
      exports: [...provided.keys()],
    })
    class Ports {}
    const module = await Test.createTestingModule({ imports: [Ports, OperatorModule, MetricsModule] }).compile();
    const app = module.createNestApplication({ logger: false, forceCloseConnections: true });
    const contract = new ContractCheck();
    app.use(contract.watch);
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    Object.assign(leadership.me, { advertise: url });
    decisions.see();
    return new ApiApp(app, url, store, leadership, decisions, sagas, contract, logged);
  }

  /** Takes the lease, and makes the group if nobody has. */
  async lead(): Promise<void> {
    const { me } = this.leadership;
    const term = await lead(this.store, me);
    this.leadership.lead(term);
    if ((await this.store.groups()).length > 0) return;
    await this.store.transact(term, me.id, (tx) =>
      tx.saveGroup(aGroup('orders', { epoch: EPOCH, reservedEpoch: EPOCH })),
    );
  }

  get(path: string, token = TOKEN): request.Test {
    return request(this.url).get(path).set('authorization', `Bearer ${token}`);
  }

  /** By default at the epoch at which the group was made, under a new key. */
  post(
    path: string,
    body: object,
    { key = randomUUID(), token = TOKEN, epoch = EPOCH }: CallOptions = {},
  ): request.Test {
    const made = request(this.url).post(path).set('authorization', `Bearer ${token}`).set('idempotency-key', key);
    return (epoch === null ? made : made.set('if-match', `"${epoch}"`)).send(body);
  }

  /** An act on the one group there is. */
  act(verb: string, body: object, more: CallOptions = {}): request.Test {
    return this.post(`/v1/groups/orders/${verb}`, body, more);
  }

  /** A new token of that person. */
  async tokenOf(name: string, role: 'viewer' | 'operator' = 'operator'): Promise<string> {
    const made = await this.post('/v1/tokens', { name, role, expiresIn: '1d' }, { epoch: null });
    return String(made.body.token);
  }

  async addEvents(...events: readonly Partial<EventRow>[]): Promise<void> {
    const { term, me } = this.leadership.current();
    await this.store.transact(term, me, async (tx) => {
      for (const event of events) await tx.appendEvent({ ...EVENT, term, ...event });
    });
  }

  /** As the leader tells what it found of a returned cluster. */
  async addSurvey(survey: Json): Promise<void> {
    const { term, me } = this.leadership.current();
    const act = { ...anAudit('rejoin survey'), detail: { survey }, term };
    await this.store.transact(term, me, (tx) => tx.appendAudit(act));
  }

  /** Records the present decision as the tick does. */
  async addDecision(): Promise<void> {
    const { snapshot, decision } = this.decisions.evaluate('orders');
    const detail = JSON.parse(JSON.stringify(explain(snapshot, defaultPolicy, decision))) as EventRow['detail'];
    await this.addEvents({ type: 'decision', row: decision.row, summary: `${decision.row} ${decision.name}`, detail });
  }

  /** Fails if any answer was not as the table of routes says. */
  async close(): Promise<void> {
    await this.app.close();
    if (this.contract.violations.length > 0) throw new Error(this.contract.violations.join('\n'));
  }
}

const EVENT: Omit<EventRow, 'seq'> = {
  at: '2026-11-20T14:02:31.000Z',
  group: 'orders',
  type: 'saga',
  row: 410,
  summary: 'something happened',
  detail: {},
  term: 1,
  epoch: 7,
};
