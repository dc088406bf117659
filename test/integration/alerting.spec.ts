import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '#lab';
import { AlertDelivery } from '../../apps/controller/src/alerting/alert-delivery.service.js';
import { alertId } from '../../apps/controller/src/alerting/alerting.port.js';
import type { AlertingOptions, WebhookReceiver } from '../../apps/controller/src/alerting/alerting.options.js';
import type { Alert } from '../../apps/controller/src/persistence/authority-store.port.js';
import { lead } from '../../apps/controller/src/persistence/conformance/builders.js';
import { FakeLeadership } from '../fakes/fake-leadership.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import type { MemoryAuthorityStore } from '../fakes/memory-authority-store.js';
import { AlertReceiver } from './alert-receiver.js';

const FAST: Omit<AlertingOptions, 'receivers'> = {
  pollMs: 20,
  timeoutMs: 300,
  retryDelaysMs: [20, 40],
  tailDelayMs: 60,
};

type Controller = Readonly<{ delivery: AlertDelivery; leadership: FakeLeadership; store: MemoryAuthorityStore }>;

let database: MemoryAuthorityDatabase;
let receivers: AlertReceiver[];
let controllers: Controller[];

beforeEach(() => {
  database = new MemoryAuthorityDatabase();
  receivers = [];
  controllers = [];
});
afterEach(async () => {
  await Promise.all(controllers.map((c) => c.delivery.onApplicationShutdown()));
  await Promise.all(receivers.map((r) => r.stop()));
});

async function receiver(): Promise<AlertReceiver> {
  const made = await new AlertReceiver(`whsec_${randomBytes(24).toString('base64')}`).start();
  receivers.push(made);
  return made;
}

const wanting = (name: string, r: AlertReceiver, events: WebhookReceiver['events'] = null): WebhookReceiver => ({
  name,
  kind: 'webhook',
  url: r.url,
  secret: r.secret,
  events,
});

async function controller(id: string, to: readonly WebhookReceiver[], more: Partial<AlertingOptions> = {}) {
  const leadership = new FakeLeadership({ id, advertise: `http://${id}` });
  const store = database.connect(id);
  const delivery = new AlertDelivery(store, leadership, { ...FAST, receivers: to, ...more });
  delivery.onApplicationBootstrap();
  const made: Controller = { delivery, leadership, store };
  controllers.push(made);
  return made;
}

const takeLease = async (c: Controller): Promise<void> => c.leadership.lead(await lead(c.store, c.leadership.me));

const alert = (type: Alert['type'], incident = 'inc-1'): Alert => ({
  id: alertId({ group: 'orders', incident, type, epoch: 7 }),
  incident,
  type,
  group: 'orders',
  row: 410,
  reason: 'a is silent',
  blockers: [{ name: 'COOLDOWN', liftedBy: 'pointsman ack orders' }],
  term: 1,
  epoch: 7,
  at: '2026-11-20T14:02:31.000Z',
});

const enqueue = async (c: Controller, ...alerts: readonly Alert[]): Promise<void> => {
  const { term, me } = c.leadership.current();
  await c.store.transact(term, me, async (tx) => {
    for (const a of alerts) await tx.enqueueAlert(a);
  });
  c.delivery.nudge();
};

const eventually = (what: string, holds: () => boolean | Promise<boolean>): Promise<true> =>
  waitFor(what, async () => ((await holds()) ? (true as const) : undefined), { timeoutMs: 10_000, pollMs: 5 });

const settled = (c: Controller) =>
  eventually('the outbox is empty', async () => (await c.store.pendingAlerts(10)).length === 0);

describe('alert ids', () => {
  it('depend on what the alert is about and on nothing else', () => {
    const of = { group: 'orders', incident: 'i', type: 'acting', epoch: 7 } as const;
    expect(alertId({ ...of })).toBe(alertId({ epoch: 7, type: 'acting', incident: 'i', group: 'orders' }));
    const others = [
      { ...of, group: 'o' },
      { ...of, incident: 'j' },
      { ...of, type: 'held' } as const,
      { ...of, epoch: 8 },
    ];
    expect(new Set([of, ...others].map(alertId)).size).toBe(5);
  });
});

describe('delivery from the outbox', () => {
  it('signs each alert, keeps their order and settles the rows', async () => {
    const r = await receiver();
    const a = await controller('ctl-a', [wanting('oncall', r)]);
    await takeLease(a);
    const alerts = [alert('suspected'), alert('acting'), alert('completed')];
    await enqueue(a, ...alerts);
    await settled(a);
    expect(r.received.map((x) => x.alert)).toEqual(alerts);
    expect(r.accepted()).toEqual(alerts.map((x) => x.id));
    expect(r.forged).toBe(0);
    expect(a.delivery.pending()).toBe(0);
  });

  it('takes a secret that is not base64 as the raw key', async () => {
    const r = await receiver();
    const a = await controller('ctl-a', [{ ...wanting('oncall', r), secret: 'some other secret' }], { maxAttempts: 1 });
    await takeLease(a);
    await enqueue(a, alert('held'));
    await eventually('it was refused as forged', () => r.forged === 1);
  });

  it('sends a receiver only what it wants, and settles what nobody wants', async () => {
    const [pager, chat] = [await receiver(), await receiver()];
    const a = await controller('ctl-a', [
      wanting('pager', pager, ['acting']),
      wanting('chat', chat, ['acting', 'held']),
    ]);
    await takeLease(a);
    await enqueue(a, alert('acting'), alert('held'), alert('degraded'));
    await settled(a);
    expect(pager.received.map((x) => x.alert.type)).toEqual(['acting']);
    expect(chat.received.map((x) => x.alert.type)).toEqual(['acting', 'held']);
  });

  it('retries with one id until it is taken, and not again after that', async () => {
    const r = await receiver();
    r.answer = (attempt) => (attempt < 4 ? 503 : 200);
    const a = await controller('ctl-a', [wanting('oncall', r)]);
    await takeLease(a);
    await enqueue(a, alert('acting'));
    await settled(a);
    expect(r.received.map((x) => x.status)).toEqual([503, 503, 503, 200]);
    expect(new Set(r.received.map((x) => x.webhookId)).size).toBe(1);
  });

  it('follows no redirect', async () => {
    const r = await receiver();
    r.answer = 307;
    const a = await controller('ctl-a', [wanting('oncall', r)], { maxAttempts: 2 });
    await takeLease(a);
    await enqueue(a, alert('acting'));
    await settled(a);
    expect(r.received).toHaveLength(2);
  });

  it('gives up after the last attempt, so that the outbox is bounded', async () => {
    const r = await receiver();
    r.answer = 500;
    const a = await controller('ctl-a', [wanting('oncall', r)], { maxAttempts: 3 });
    await takeLease(a);
    await enqueue(a, alert('acting'));
    await settled(a);
    expect(r.received).toHaveLength(3);
  });

  it('a receiver that hangs or is dead delays no other, and gets its alerts when it returns', async () => {
    const [dead, hanging, good] = [await receiver(), await receiver(), await receiver()];
    await dead.stop();
    hanging.answer = 0;
    const a = await controller('ctl-a', [wanting('dead', dead), wanting('hanging', hanging), wanting('good', good)]);
    await takeLease(a);
    await enqueue(a, alert('suspected'), alert('acting'));
    await eventually('the good one has both', () => good.accepted().length === 2);
    expect(dead.accepted()).toEqual([]);
    expect(a.delivery.pending()).toBe(2);
    hanging.answer = 204;
    await dead.start();
    await settled(a);
    expect(new Set(dead.accepted())).toEqual(new Set(good.accepted()));
    expect(new Set(hanging.accepted())).toEqual(new Set(good.accepted()));
    expect(good.received).toHaveLength(2);
  });
});

describe('an outbox of more than one page', () => {
  const many = Array.from({ length: 1_001 }, (_, i) => alert('degraded', `inc-${i}`));
  const ids = many.map(({ id }) => id);

  it('a receiver that takes nothing starves no other, and gets everything when it is back', async () => {
    const [stuck, ok] = [await receiver(), await receiver()];
    stuck.answer = 0;
    const to = [wanting('stuck', stuck), wanting('ok', ok)];
    const a = await controller('ctl-a', to, { timeoutMs: 60_000, pollMs: 200 });
    await takeLease(a);
    await enqueue(a, ...many.slice(0, 1_000));
    await eventually('a page is delivered', () => ok.accepted().length === 1_000);
    let reads = 0;
    const read = a.store.pendingAlerts.bind(a.store);
    a.store.pendingAlerts = (limit, after) => {
      reads += 1;
      return read(limit, after);
    };
    let readsAtArrival = 0;
    ok.answer = () => {
      readsAtArrival = reads;
      return 204;
    };
    await enqueue(a, ...many.slice(1_000));
    await eventually('the last one is delivered', () => ok.accepted().length === 1_001);
    expect(readsAtArrival).toBeLessThanOrEqual(4); // two looks
    expect(a.delivery.pending()).toBe(1_001);
    expect(ok.accepted()).toEqual(ids);
    await stuck.stop();
    stuck.answer = 204;
    await stuck.start();
    await eventually('it has them all', () => new Set(stuck.accepted()).size === 1_001);
    await settled(a);
    expect(ok.received).toHaveLength(1_001);
  });
});

describe('a change of leader', () => {
  it('only the leader delivers', async () => {
    const r = await receiver();
    const [a, b] = [
      await controller('ctl-a', [wanting('oncall', r)]),
      await controller('ctl-b', [wanting('oncall', r)]),
    ];
    await takeLease(a);
    b.leadership.follow(a.leadership.me, 1);
    await enqueue(a, alert('acting'));
    b.delivery.nudge();
    await settled(a);
    expect(r.received).toHaveLength(1);
  });

  it('the next leader delivers what a killed one left, under the same ids, and nothing that was taken before', async () => {
    const r = await receiver();
    const a = await controller('ctl-a', [wanting('oncall', r)]);
    const b = await controller('ctl-b', [wanting('oncall', r)]);
    await takeLease(a);
    await enqueue(a, alert('suspected'));
    await settled(a);
    await r.stop();
    await enqueue(a, alert('acting'), alert('completed'));
    await eventually('both are pending', () => a.delivery.pending() === 2);
    database.partition('ctl-a');
    await a.delivery.onApplicationShutdown();
    await r.start();
    await takeLease(b);
    await settled(b);
    expect(r.accepted()).toEqual([alert('suspected'), alert('acting'), alert('completed')].map((x) => x.id));
  });

  it('killed between the answer and its mark: sent again with the same id, lost never', async () => {
    const r = await receiver();
    const a = await controller('ctl-a', [wanting('oncall', r)]);
    const b = await controller('ctl-b', [wanting('oncall', r)]);
    await takeLease(a);
    const mark = database.holdNext('write', 'ctl-a');
    await enqueue(a, alert('acting'));
    await mark.reached;
    database.partition('ctl-a');
    mark.release();
    await a.delivery.onApplicationShutdown();
    await takeLease(b);
    await settled(b);
    expect(r.accepted()).toEqual([alert('acting').id, alert('acting').id]);
  });
});

describe('the direct path', () => {
  it('leaves while the store is down, and the row that comes later is not sent again', async () => {
    const r = await receiver();
    const a = await controller('ctl-a', [wanting('oncall', r)]);
    await takeLease(a);
    database.stop();
    a.delivery.direct(alert('needs_operator'));
    a.delivery.direct(alert('needs_operator'));
    await eventually('it arrived', () => r.accepted().length === 1);
    database.start();
    await enqueue(a, alert('needs_operator'), alert('held'));
    await settled(a);
    expect(r.accepted()).toEqual([alert('needs_operator').id, alert('held').id]);
  });

  it('works without leading, survives the loss of leadership and retries', async () => {
    const r = await receiver();
    await r.stop();
    const a = await controller('ctl-a', [wanting('oncall', r)]);
    a.delivery.direct(alert('blind'));
    a.leadership.follow(null);
    await r.start();
    await eventually('it arrived', () => r.accepted().length === 1);
  });

  it('holds a bounded number in memory, the newest', async () => {
    const r = await receiver();
    await r.stop();
    const a = await controller('ctl-a', [wanting('oncall', r)], {
      maxQueued: 2,
      retryDelaysMs: [500],
      tailDelayMs: 500,
    });
    for (const i of ['1', '2', '3']) a.delivery.direct(alert('blind', i));
    expect(a.delivery.pending()).toBe(2);
  });
});
