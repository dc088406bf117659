import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { AlertmanagerServer, RedisServer } from '#lab';
import { AlertDelivery } from '../../apps/controller/src/alerting/alert-delivery.service.js';
import { AlertKeeper } from '../../apps/controller/src/alerting/alert-keeper.service.js';
import { alertId } from '../../apps/controller/src/alerting/alerting.port.js';
import type { AlertingOptions, Receiver } from '../../apps/controller/src/alerting/alerting.options.js';
import type { Alert, AlertKind } from '../../apps/controller/src/persistence/alerts.port.js';
import { lead } from '../../apps/controller/src/persistence/conformance/builders.js';
import { FakeLeadership } from '../fakes/fake-leadership.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import type { MemoryAuthorityStore } from '../fakes/memory-authority-store.js';
import { AlertReceiver } from './alert-receiver.js';
import { JsonReceiver } from './json-receiver.js';

type Part = AlertDelivery | AlertKeeper;
type Controller = Readonly<{ delivery: AlertDelivery; leadership: FakeLeadership; store: MemoryAuthorityStore }>;

let database: MemoryAuthorityDatabase;
let parts: Part[];
let servers: { stop(): Promise<void> }[];
beforeEach(() => {
  database = new MemoryAuthorityDatabase();
  [parts, servers] = [[], []];
});
afterEach(async () => {
  await Promise.all(parts.map((part) => part.onApplicationShutdown()));
  await Promise.all(servers.map((server) => server.stop()));
});

async function controller(id: string, more: Partial<AlertingOptions>): Promise<Controller> {
  const leadership = new FakeLeadership({ id, advertise: `http://${id}` });
  const store = database.connect(id);
  const options: AlertingOptions = {
    ...{ receivers: [], pollMs: 20, timeoutMs: 2_000, retryDelaysMs: [20, 40], tailDelayMs: 60, repeatMs: 100 },
    ...{ takeOverMs: 300, redisAnswerMs: 500, ...more },
  };
  const delivery = new AlertDelivery(store, leadership, options);
  const keeper = new AlertKeeper(store, leadership, options);
  parts.push(delivery, keeper);
  for (const part of [delivery, keeper]) part.onApplicationBootstrap();
  return { delivery, leadership, store };
}

const takeLease = async (c: Controller): Promise<void> => c.leadership.lead(await lead(c.store, c.leadership.me));
const json = async (): Promise<JsonReceiver> => {
  const made = await new JsonReceiver().start();
  servers.push(made);
  return made;
};
const alert = (type: AlertKind, incident = 'orders-7-failover-1', of?: readonly AlertKind[]): Alert => ({
  ...{ id: alertId({ group: 'orders', incident, type, epoch: 7 }), incident, type, group: 'orders', row: 410 },
  ...{ reason: 'a is silent', blockers: [], term: 1, epoch: 7, at: new Date().toISOString() },
  ...(of === undefined ? {} : { of }),
});
const enqueue = async (c: Controller, ...alerts: readonly Alert[]): Promise<void> => {
  const { term, me } = c.leadership.current();
  await c.store.transact(term, me, async (tx) => {
    for (const a of alerts) await tx.enqueueAlert(a);
  });
  c.delivery.nudge();
};
const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 20 });
const settled = (c: Controller) => until(async () => expect(await c.store.pendingAlerts(10)).toEqual([]));
const STORY = (['suspected', 'acting', 'completed'] as const).map((type) => alert(type));

describe('PagerDuty', () => {
  const receiver = (r: JsonReceiver): Receiver => ({
    ...{ kind: 'pagerduty', name: 'pd', url: r.url, routingKey: 'f'.repeat(32), events: null },
  });

  it('refusals are repeated, what it calls invalid is a dead letter that can be sent again', async () => {
    const r = await json();
    r.reply = (nth) => ({ status: nth === 1 ? 500 : nth === 2 ? 400 : 202 });
    const a = await controller('ctl-a', { receivers: [receiver(r)] });
    await takeLease(a);
    const [suspected] = STORY as [Alert];
    await enqueue(a, suspected);
    await settled(a);
    expect(r.taken.map((t) => t.status)).toEqual([500, 400]);
    expect((await a.store.alerts('dead', 10)).map((row) => row.alert.id)).toEqual([suspected.id]);
    const { term, me } = a.leadership.current();
    expect(await a.store.transact(term, me, (tx) => tx.resendAlert(suspected.id, null))).toEqual(['pd']);
    a.delivery.nudge();
    await settled(a);
    expect(r.accepted()).toHaveLength(1);
    expect(await a.store.alerts('dead', 10)).toEqual([]);
  });

  it('the second channel hears of an alert that the first does not take', async () => {
    const [dead, second] = [await json(), await json()];
    await dead.stop();
    const other: Receiver = { ...receiver(second), name: 'second' };
    const route = { severities: null, events: null, to: ['pd'], second: ['second'], after: 2 };
    const a = await controller('ctl-a', { receivers: [receiver(dead), other], routes: [route] });
    await takeLease(a);
    await enqueue(a, ...STORY);
    await until(() =>
      expect(new Set(second.accepted().map((e) => e['event_action']))).toEqual(new Set(['trigger', 'resolve'])),
    );
    await dead.start();
    await settled(a);
    expect(dead.accepted().length).toBeGreaterThan(0);
  });
});

describe('Slack', () => {
  it('gets at most one message a second, and is left alone for as long as it asks', async () => {
    const r = await json();
    r.reply = (nth) => (nth === 1 ? { status: 429, headers: { 'retry-after': '2' } } : { status: 200 });
    const a = await controller('ctl-a', { receivers: [{ kind: 'slack', name: 'chat', url: r.url, events: null }] });
    await takeLease(a);
    await enqueue(a, ...STORY);
    await settled(a);
    expect(r.taken.map((t) => t.status)).toEqual([429, 200, 200, 200]);
    const gaps = r.taken.slice(1).map((t, i) => t.atMs - (r.taken[i]?.atMs ?? 0));
    expect(gaps[0]).toBeGreaterThanOrEqual(1_950);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(950);
  });
});

describe('what is not allowed', () => {
  it('a name that resolves to this machine is not asked, unless it is allowed by name', async () => {
    const r = await json();
    const url = r.url.replace('127.0.0.1', 'ip6-localhost');
    const receivers: readonly Receiver[] = [{ kind: 'webhook', name: 'hook', url, secret: 's', events: null }];
    const a = await controller('ctl-a', { receivers, maxAttempts: 2 });
    await takeLease(a);
    await enqueue(a, alert('acting'));
    await settled(a);
    expect(r.taken).toEqual([]);
    const [row] = await a.store.alerts('dead', 1);
    expect(row?.deliveries[0]?.lastError).toMatch(/allowPrivate|ENOTFOUND/);
  });
});

describe('a real Alertmanager', () => {
  let server: AlertmanagerServer;
  beforeAll(async () => {
    server = await AlertmanagerServer.make();
    await server.start();
  });
  afterAll(() => server.close());
  const firing = async (): Promise<readonly Readonly<Record<string, string>>[]> => {
    const response = await fetch(`${server.url}/api/v2/alerts?active=true`);
    const alerts = (await response.json()) as readonly {
      labels: Record<string, string>;
      annotations: Record<string, string>;
    }[];
    return alerts.map(({ labels, annotations }) => ({ ...labels, type: annotations['type'] ?? '' }));
  };
  const named = async (name: string) => (await firing()).filter((each) => each['alertname'] === name);

  it('shows one alert per incident, its newest word, and none once it is over; the watchdog fires for ever', async () => {
    const a = await controller('ctl-a', {
      receivers: [{ kind: 'alertmanager', name: 'am', url: server.url, events: null }],
    });
    await takeLease(a);
    const cut = 'orders-7-link_cut-1';
    await enqueue(a, alert('suspected'), alert('link_cut', cut));
    await until(async () => expect(await named('PointsmanFailover')).toMatchObject([{ type: 'suspected' }]));
    await enqueue(a, alert('acting'));
    await until(async () =>
      expect(await named('PointsmanFailover')).toMatchObject([{ type: 'acting', group: 'orders' }]),
    );
    await until(async () => expect(await named('PointsmanLinkCut')).toMatchObject([{ severity: 'warning' }]));
    await until(async () => expect(await named('PointsmanWatchdog')).toHaveLength(1));
    await server.kill();
    await enqueue(a, alert('completed'));
    await server.start(); // without what it held in memory: the repetition tells it again
    await settled(a);
    await until(async () => expect(await named('PointsmanLinkCut')).toHaveLength(1));
    await until(async () => expect(await named('PointsmanFailover')).toEqual([]));
    await enqueue(a, alert('resolved', cut, ['link_cut']));
    await until(async () => expect((await firing()).map((each) => each['alertname'])).toEqual(['PointsmanWatchdog']));
  });
});

describe('a heartbeat', () => {
  it('comes from the leader only, for as long as it leads', async () => {
    const r = await json();
    const heartbeat = { url: r.url, everyMs: 50 };
    const a = await controller('ctl-a', { heartbeat });
    await controller('ctl-b', { heartbeat });
    await takeLease(a);
    await until(() => expect(r.taken.length).toBeGreaterThan(2));
    expect(new Set(r.taken.map((t) => t.body['controller']))).toEqual(new Set(['ctl-a']));
    a.leadership.follow(null);
    const after = r.taken.length + 1; // one may be on its way
    await until(() => expect(r.taken.length).toBeLessThanOrEqual(after));
  });
});

describe('with Redis between the outbox and the receiver', () => {
  let redis: RedisServer;
  let pager: AlertReceiver;
  beforeAll(async () => {
    redis = await RedisServer.make();
    await redis.start();
  });
  afterAll(() => redis.close());
  beforeEach(async () => {
    pager = await new AlertReceiver(`whsec_${randomBytes(24).toString('base64')}`).start();
    servers.push(pager);
  });
  const through = (prefix = randomBytes(4).toString('hex')): Partial<AlertingOptions> => ({
    receivers: [{ kind: 'webhook', name: 'oncall', url: pager.url, secret: pager.secret, events: null }],
    redis: { url: redis.url, prefix },
  });
  const ids = STORY.map((a) => a.id);
  /** One whose deliveries do go through Redis. */
  async function queued(id: string, options: Partial<AlertingOptions>): Promise<Controller> {
    const made = await controller(id, options);
    await until(() => expect(made.delivery.carriedBy()).toBe('redis'));
    return made;
  }

  it('alerts leave once each while all is well', async () => {
    const a = await queued('ctl-a', through());
    await takeLease(a);
    await enqueue(a, ...STORY);
    await settled(a);
    expect(pager.accepted().toSorted()).toEqual(ids.toSorted());
    expect(pager.forged).toBe(0);
  });

  it.each([
    ['killed', () => redis.kill(), () => redis.start()],
    ['frozen', async () => redis.freeze(), async () => redis.thaw()],
    ['wiped', () => redis.wipe(), async () => undefined],
  ])(
    '%s in mid-incident: every alert arrives with its id, and what was taken is not sent again',
    async (_, hurt, heal) => {
      const a = await queued('ctl-a', through());
      await takeLease(a);
      const [suspected, acting, completed] = STORY as [Alert, Alert, Alert];
      await enqueue(a, suspected);
      await settled(a);
      pager.answer = 503;
      await enqueue(a, acting);
      await until(() => expect(pager.received.some((r) => r.webhookId === acting.id)).toBe(true));
      await hurt();
      const began = performance.now();
      await enqueue(a, completed);
      expect(performance.now() - began).toBeLessThan(1_000); // what decides waits for no Redis
      pager.answer = 204;
      await settled(a);
      await heal();
      await enqueue(a, alert('degraded', 'orders-7-degraded-1'));
      await settled(a);
      expect(new Set(pager.accepted())).toEqual(new Set([...ids, alert('degraded', 'orders-7-degraded-1').id]));
      expect(pager.accepted()).toHaveLength(4);
    },
  );

  it('the leader killed in mid-incident: the next one finds in the outbox what is owed', async () => {
    const prefix = randomBytes(4).toString('hex');
    const [a, b] = [await queued('ctl-a', through(prefix)), await queued('ctl-b', through(prefix))];
    await takeLease(a);
    await pager.stop();
    await enqueue(a, ...STORY);
    await until(async () => expect((await a.store.pendingAlerts(10)).some((r) => r.deliveries.length > 0)).toBe(true));
    database.partition('ctl-a');
    await a.delivery.onApplicationShutdown();
    await pager.start();
    await takeLease(b);
    await settled(b);
    expect(new Set(pager.accepted())).toEqual(new Set(ids));
  });
});
