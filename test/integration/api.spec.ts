import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleGroup, sampleVotes } from '#failover';
import { waitFor } from '#lab';
import { SagaWatch } from '../../apps/controller/src/metrics/saga-watch.service.js';
import { aSaga, anEntry } from '../../apps/controller/src/persistence/conformance/builders.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, TOKEN } from './api-app.js';

let database: MemoryAuthorityDatabase;
let api: ApiApp;
let apps: ApiApp[];

const start = async (id: string, more: Parameters<typeof ApiApp.start>[2] = {}): Promise<ApiApp> => {
  const app = await ApiApp.start(id, database, more);
  apps.push(app);
  return app;
};

beforeEach(async () => {
  database = new MemoryAuthorityDatabase();
  apps = [];
  api = await start('ctl-a');
  await api.lead();
});
afterEach(async () => {
  await Promise.all(apps.map((a) => a.close()));
});

const get = (path: string, of: ApiApp = api) => request(of.url).get(path).set('authorization', `Bearer ${TOKEN}`);

type Post = Readonly<{ key?: string; epoch?: number | null; of?: ApiApp }>;

const post = (act: string, body: object, { key = randomUUID(), epoch = 7, of = api }: Post = {}) => {
  const made = request(of.url)
    .post(`/v1/groups/orders/${act}`)
    .set('authorization', `Bearer ${TOKEN}`)
    .set('idempotency-key', key);
  return (epoch === null ? made : made.set('if-match', `"${epoch}"`)).send(body);
};

const PAUSE = { owner: 'kim', reason: 'upgrade', expiresIn: '2h' };

describe('who may ask', () => {
  it('answers 401 without a token and with a wrong one, and says which it was', async () => {
    const none = await request(api.url)
      .get('/v1/groups')
      .expect(401)
      .expect('content-type', /problem\+json/);
    expect(none.body).toMatchObject({ code: 'token_missing', status: 401 });
    const wrong = await request(api.url).get('/v1/groups').set('authorization', 'Bearer nonsense').expect(401);
    expect(wrong.body.code).toBe('token_wrong');
    expect(wrong.headers['www-authenticate']).toContain('invalid_token');
    for (const path of ['/v1/events', '/v1/audit', '/v1/agents', '/v1/controllers', '/v1/groups/orders/explain']) {
      await request(api.url).get(path).expect(401);
    }
    await request(api.url).post('/v1/groups/orders/pause').send(PAUSE).expect(401);
    await waitFor('the attempts are audited', () => (database.tables.audit.length >= 8 ? true : undefined), {
      timeoutMs: 10_000,
    });
    expect(new Set(database.tables.audit.map((row) => `${row.actor} ${row.action}`))).toEqual(
      new Set(['unknown denied']),
    );
  });

  it('without a configured token serves this machine, but 403 to a page that got here under another name', async () => {
    const open = await start('ctl-open', { token: null });
    await request(open.url).get('/v1/groups').expect(200);
    const rebound = await request(open.url).get('/v1/groups').set('host', 'evil.example').expect(403);
    expect(rebound.body.code).toBe('loopback_only');
  });

  it('asks for no token where monitors look', async () => {
    await request(api.url).get('/healthz').expect(200);
    await request(api.url).get('/readyz').expect(200);
    await request(api.url).get('/metrics').expect(200);
  });
});

describe('GET groups', () => {
  it('shows a steady group whole', async () => {
    const { body } = await get('/v1/groups').expect(200);
    expect(body.groups).toHaveLength(1);
    expect(body.groups[0]).toMatchObject({
      group: 'orders',
      active: 'a',
      standby: 'b',
      mode: 'auto',
      row: 800,
      name: 'Steady',
      window: null,
      blockers: [],
      lag: { records: 12, ms: 400, budget: { records: 10_000, ms: 30_000 } },
      consumerGroups: [{ cluster: 'a', consumerGroup: 'billing', lagRecords: 40 }],
      epoch: 7,
      leader: { id: 'ctl-a', term: 1 },
      pause: null,
      frozen: null,
      saga: null,
    });
    expect(body.groups[0].observers[0]).toMatchObject({ agent: 'agent-a', idc: 'a', votes: { a: 'UP', b: 'UP' } });
    expect((await get('/v1/groups/orders').expect(200)).body).toEqual(body.groups[0]);
  });

  it('shows window, deadline and blockers of a dying one', async () => {
    const { snapshot } = api.decisions.see({
      votes: {
        a: sampleVotes({ a: 'refused', b: 'silent', c: 'silent' }, 6_400),
        b: sampleVotes({ a: 'up', b: 'up', c: 'up' }),
      },
      configCenter: { writableAgeMs: null, error: 'refused' },
    });
    const { body } = await get('/v1/groups/orders').expect(200);
    expect(body).toMatchObject({ row: 400, name: 'AttestedDeath', wouldDo: 'failover' });
    expect(body.window).toMatchObject({ fillMs: 7_400, lengthMs: 20_000, complete: false });
    expect(Date.parse(body.window.actsAt)).toBe(snapshot.wallNow + 12_600);
    expect(body.blockers.map((b: { name: string }) => b.name)).toContain('NOT_PUBLISHABLE');
    expect(body.target).toMatchObject({ cluster: 'b', fit: true });
  });

  it('goes on from memory while the store is down', async () => {
    api.decisions.see({ group: sampleGroup({ epoch: 7, frozen: 'foreign content' }) });
    database.stop();
    const { body } = await get('/v1/groups').expect(200);
    expect(body.groups[0]).toMatchObject({ row: 800, epoch: 7, frozen: 'foreign content' });
    await request(api.url).get('/healthz').expect(200);
    await request(api.url).get('/readyz').expect(503);
    const down = await get('/v1/controllers').expect(503);
    expect(down.body).toMatchObject({ code: 'store_unavailable' });
  });

  it('names the groups there are when asked for another', async () => {
    const { body } = await get('/v1/groups/nope')
      .expect(404)
      .expect('content-type', /problem\+json/);
    expect(body).toMatchObject({ code: 'not_found', blockedBy: [], errors: [], leader: api.url });
    expect(body.detail).toContain('orders');
    expect(body.requestId).toMatch(/^[0-9a-f-]{36}$/);
    await get('/v1/nothing')
      .expect(404)
      .expect('content-type', /problem\+json/);
  });
});

describe('the other reads', () => {
  it('explains now, and a past decision as it was recorded', async () => {
    api.decisions.see({ votes: { a: sampleVotes({ a: 'abstain', b: 'stale', c: 'stale' }), b: {} } });
    await api.addDecision();
    await api.addEvents({ type: 'saga' });
    api.decisions.see();
    const now = await get('/v1/groups/orders/explain').expect(200);
    expect(now.body).toMatchObject({ event: null, row: { id: 800 } });
    const past = await get('/v1/groups/orders/explain?event=1').expect(200);
    expect(past.body).toMatchObject({ event: 1, row: { id: 120, name: 'Blind' } });
    expect(past.body.text).toMatch(/^orders: row 120 Blind/);
    await get('/v1/groups/orders/explain?event=2').expect(404);
    await get('/v1/groups/orders/explain?event=99').expect(404);
    const bad = await get('/v1/groups/orders/explain?event=x').expect(400);
    expect(bad.body.errors[0].pointer).toBe('?event');
  });

  it('lists history, events, sagas, agents, controllers and the audit', async () => {
    await api.addEvents({ summary: 'one' }, { summary: 'of nobody', group: null }, { summary: 'two' });
    await post('acknowledge', { reason: 'seen' }).expect(202);
    const history = await get('/v1/groups/orders/history?limit=3').expect(200);
    expect(history.body.events.map((e: { summary: string }) => e.summary)).toEqual(['one', 'two', expect.any(String)]);
    const events = await get('/v1/events?after=1&limit=2').expect(200);
    expect(events.body.events.map((e: { seq: number }) => e.seq)).toEqual([2, 3]);
    expect((await get('/v1/sagas?group=orders').expect(200)).body).toEqual({ group: 'orders', sagas: [] });
    await get('/v1/sagas').expect(400);
    await get('/v1/sagas/unknown').expect(404);
    expect((await get('/v1/agents').expect(200)).body.agents[0].agent).toBe('agent-a');
    const { body: controllers } = await get('/v1/controllers').expect(200);
    expect(controllers).toMatchObject({ answeredBy: { id: 'ctl-a', leading: true }, leader: { id: 'ctl-a', term: 1 } });
    const { body: audit } = await get('/v1/audit').expect(200);
    expect(audit.audit[0]).toMatchObject({ seq: 1, action: 'acknowledge', reason: 'seen', term: 1, epoch: 7 });
  });

  it('measures with the names of the contract', async () => {
    const { text } = await request(api.url).get('/metrics').expect(200);
    for (const line of [
      'pointsman_leader_info{id="ctl-a"} 1',
      'pointsman_term 1',
      'pointsman_group_epoch{group="orders"} 1',
      'pointsman_group_row_info{group="orders",row="800",name="Steady"} 1',
      'pointsman_vote_info{cluster="a",agent="agent-a",state="UP"} 1',
      'pointsman_replication_lag_records{group="orders",from="a",to="b"} 12',
      'pointsman_replication_lag_seconds{group="orders",from="a",to="b"} 0.4',
      'pointsman_consumer_group_lag_records{group="orders",cluster="a",consumer_group="billing"} 40',
      'pointsman_outbox_pending 0',
    ]) {
      expect(text).toContain(line);
    }
    for (const name of ['report_last_received_timestamp_seconds', 'config_center_last_write_timestamp_seconds']) {
      expect(text).toMatch(new RegExp(`^pointsman_${name}\\{`, 'm'));
    }
  });
});

describe('the count of sagas', () => {
  it('is taken once, by the leader, from the journal', async () => {
    const { term, me } = api.leadership.current();
    await api.store.transact(term, me, async (tx) => {
      await tx.openSaga(aSaga('s-1'));
      const at = (s: number): string => new Date(Date.now() + s * 1_000).toISOString();
      await tx.appendJournal('s-1', [
        { ...anEntry('fence-source', 'intent'), at: at(0) },
        { ...anEntry('fence-source', 'done'), at: at(2) },
      ]);
      await tx.closeSaga('s-1', 'DONE', at(3));
    });
    const b = await start('ctl-b');
    b.leadership.follow(api.leadership.me, term);
    for (const app of [api, b]) {
      await app.app.get(SagaWatch).look();
      await app.app.get(SagaWatch).look();
    }
    const { text } = await request(api.url).get('/metrics');
    expect(text).toContain('pointsman_sagas_total{kind="failover",outcome="DONE"} 1');
    expect(text).toContain('pointsman_saga_step_duration_seconds_sum{step="fence-source"} 2');
    expect((await request(b.url).get('/metrics')).text).not.toMatch(/outcome="DONE"\} [1-9]/);
    expect((await get('/v1/sagas/s-1').expect(200)).body).toMatchObject({ id: 's-1', outcome: 'DONE' });
  });
});

describe('writes', () => {
  it('pauses with owner, reason and expiry; audit, event and change in one transaction', async () => {
    const before = database.commits;
    const { body, headers } = await post('pause', PAUSE).expect(202);
    expect(database.commits).toBe(before + 1);
    expect(body).toMatchObject({ group: 'orders', action: 'pause', dryRun: false, changed: true });
    const operation = (await get(String(headers['location'])).expect(200)).body;
    expect(headers['location']).toMatch(/^\/v1\/operations\/act-/);
    expect(operation).toMatchObject({ kind: 'pause', group: 'orders', done: true, outcome: 'DONE', source: null });
    expect(operation.reason).toBe(body.summary);
    const [row] = await api.store.groups();
    expect(row?.pause).toMatchObject({ owner: 'kim', reason: 'upgrade' });
    expect(Date.parse(row?.pause?.expiresAt ?? '') - Date.now()).toBeGreaterThan(7_100_000);
    expect((await get('/v1/groups/orders')).body.pause.owner).toBe('kim');
    const [audit] = await api.store.audit(0, 10);
    expect(audit).toMatchObject({ actor: 'operator:kim', action: 'pause', reason: 'upgrade', term: 1, epoch: 7 });
    expect((await api.store.events(0, 10))[0]).toMatchObject({ type: 'operator', group: 'orders' });
  });

  it('resumes what is paused, and refuses what is not', async () => {
    expect((await post('resume', { reason: 'done' }).expect(409)).body.code).toBe('not_paused');
    await post('pause', PAUSE).expect(202);
    await post('resume', { reason: 'done', by: 'kim' }).expect(202);
    const [row] = await api.store.groups();
    expect(row?.pause).toBeNull();
    expect(row?.unpausedAt).not.toBeNull();
  });

  it('acknowledges: lifts the freeze, the stop after unpublished sagas and the cool-down', async () => {
    const { term, me } = api.leadership.current();
    await api.store.transact(term, me, async (tx) => {
      const row = (await tx.group('orders'))!;
      const lastUnpublishedClose = {
        at: row.unpausedAt ?? '2026-11-20T14:00:00Z',
        attempts: 4,
        outcome: 'ABORTED',
      } as const;
      await tx.saveGroup({ ...row, frozen: 'foreign content', lastUnpublishedClose });
    });
    await post('acknowledge', { reason: 'cause found' }).expect(202);
    const [row] = await api.store.groups();
    expect(row).toMatchObject({ frozen: null, lastUnpublishedClose: null, acknowledgedAt: expect.any(String) });
  });

  it('accepts loss by a named person, up to a limit, for a while', async () => {
    const body = { reason: 'INC-1', by: 'kim', maxRecords: 5_000, maxDuration: '90s', expiresIn: '30m' };
    await post('accept-loss', body).expect(202);
    const [row] = await api.store.groups();
    expect(row?.lossAcceptance).toMatchObject({ by: 'kim', reason: 'INC-1', maxRecords: 5_000, maxMs: 90_000 });
    const { by: _by, ...nameless } = body;
    expect((await post('accept-loss', nameless).expect(400)).body.errors[0].pointer).toBe('/by');
    const boundless = { reason: 'x', by: 'kim', expiresIn: '30m' };
    expect((await post('accept-loss', boundless).expect(400)).body.errors[0].pointer).toBe('/maxRecords');
    await post('accept-loss', { ...body, expiresIn: '48h' }).expect(400);
  });

  it('lists every broken field at once', async () => {
    const { body } = await post('pause', { owner: '', expiresIn: 'soon', extra: 1 }).expect(400);
    expect(body.code).toBe('invalid_body');
    expect(body.errors.map((e: { pointer: string }) => e.pointer)).toEqual(
      expect.arrayContaining(['/owner', '/reason', '/expiresIn']),
    );
    await post('pause', { ...PAUSE, expiresIn: '31d' }).expect(400);
    const broken = request(api.url).post('/v1/groups/orders/pause').set('authorization', `Bearer ${TOKEN}`);
    const sent = broken.set('idempotency-key', 'k').set('if-match', '"7"').set('content-type', 'application/json');
    await sent
      .send('{"reason')
      .expect(400)
      .expect('content-type', /problem\+json/);
  });

  it('wants the epoch that the caller has seen', async () => {
    expect((await post('pause', PAUSE, { epoch: null }).expect(428)).body.code).toBe('if_match_missing');
    expect((await post('pause', PAUSE, { epoch: 6 }).expect(412)).body.code).toBe('stale_epoch');
    const keyless = request(api.url).post('/v1/groups/orders/pause').set('authorization', `Bearer ${TOKEN}`);
    await keyless.set('if-match', '"7"').send(PAUSE).expect(400);
    expect(database.tables.audit).toHaveLength(0);
  });

  it('a dry run says the same and writes nothing', async () => {
    const commits = database.commits;
    const tables = JSON.stringify(database.tables);
    for (const [act, body] of [
      ['pause', PAUSE],
      ['acknowledge', { reason: 'r' }],
      ['accept-loss', { reason: 'r', by: 'kim', maxRecords: 1, expiresIn: '1m' }],
    ] as const) {
      const dry = await post(act, { ...body, dryRun: true }).expect(202);
      expect(dry.body).toMatchObject({ dryRun: true, changed: false });
    }
    await post('resume', { reason: 'r', dryRun: true }).expect(409);
    await post('pause', { ...PAUSE, dryRun: true }, { epoch: 6 }).expect(412);
    expect(database.commits).toBe(commits);
    expect(JSON.stringify(database.tables)).toBe(tables);
  });
});

describe('idempotency', () => {
  it('the same key and body get the same answer, also from the next leader; another body gets 422', async () => {
    const first = await post('pause', PAUSE, { key: 'k1' }).expect(202);
    const again = await post('pause', PAUSE, { key: 'k1' }).expect(202);
    expect(again.body).toEqual(first.body);
    const b = await start('ctl-b');
    await b.lead();
    expect((await post('pause', PAUSE, { key: 'k1', of: b }).expect(202)).body).toEqual(first.body);
    expect((await post('pause', { ...PAUSE, expiresIn: '3h' }, { key: 'k1', of: b }).expect(422)).body.code).toBe(
      'idempotency_key_reused',
    );
    expect(database.tables.audit).toHaveLength(1);
  });

  it('20 at once have one effect', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('pause', PAUSE, { key: 'once' })));
    const statuses = new Set(answers.map((a) => a.status));
    expect([...statuses].every((s) => s === 202 || s === 409)).toBe(true);
    expect(statuses.has(202)).toBe(true);
    expect(database.tables.audit).toHaveLength(1);
    expect(database.tables.events).toHaveLength(1);
  });

  it('a repeat while the first is under way gets 409', async () => {
    const commit = database.holdNext('commit-before', 'ctl-a');
    const first = post('pause', PAUSE, { key: 'slow' }).then((r) => r);
    await commit.reached;
    expect((await post('pause', PAUSE, { key: 'slow' }).expect(409)).body.code).toBe('in_flight');
    commit.release();
    expect((await first).status).toBe(202);
  });

  it('a commit whose answer was lost is found by the repeat', async () => {
    database.failNext('commit-after', 'ctl-a');
    expect((await post('pause', PAUSE, { key: 'lost' }).expect(503)).body.code).toBe('outcome_unknown');
    await post('pause', PAUSE, { key: 'lost' }).expect(202);
    expect(database.tables.audit).toHaveLength(1);
  });
});

describe('a controller that does not lead', () => {
  it('answers reads, and writes with 421 naming the leader', async () => {
    const b = await start('ctl-b');
    b.leadership.follow(api.leadership.me, 1);
    await get('/v1/groups', b).expect(200);
    const { body } = await post('pause', PAUSE, { of: b })
      .expect(421)
      .expect('content-type', /problem\+json/);
    expect(body).toMatchObject({ code: 'not_leader', leader: api.url });
    expect(database.tables.audit).toHaveLength(0);
  });

  it('answers 503 with Retry-After when nobody leads', async () => {
    api.leadership.follow(null);
    const { headers, body } = await post('pause', PAUSE).expect(503);
    expect(headers['retry-after']).toBe('2');
    expect(body).toMatchObject({ code: 'no_leader', leader: null });
  });

  it('that only believes to lead writes nothing', async () => {
    const b = await start('ctl-b');
    await b.lead();
    expect((await post('pause', PAUSE).expect(503)).body.code).toBe('no_leader');
    expect(database.tables.audit).toHaveLength(0);
  });
});

/** Reads a stream until `enough` says so; the text so far. */
async function stream(of: ApiApp, headers: Record<string, string>, enough: (text: string) => boolean, query = '') {
  const closed = new AbortController();
  const res = await fetch(`${of.url}/v1/events${query}`, {
    headers: { authorization: `Bearer ${TOKEN}`, accept: 'text/event-stream', ...headers },
    signal: closed.signal,
  });
  expect(res.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  for await (const chunk of res.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (enough(text)) break;
  }
  closed.abort();
  return text;
}

const idsIn = (text: string): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map((m) => Number(m[1]));

describe('the event stream', () => {
  it('resumes after Last-Event-ID, at any controller, without gap or repeat', async () => {
    await api.addEvents(...Array.from({ length: 5 }, (_, i) => ({ summary: `event ${i + 1}` })));
    const first = await stream(api, { 'last-event-id': '1' }, (t) => idsIn(t).length >= 2);
    expect(idsIn(first).slice(0, 2)).toEqual([2, 3]);
    const b = await start('ctl-b');
    const reading = stream(b, { 'last-event-id': '3' }, (t) => idsIn(t).length >= 4);
    await api.addEvents({ summary: 'event 6' }, { summary: 'event 7' });
    expect(idsIn(await reading)).toEqual([4, 5, 6, 7]);
  });

  it('starts with what happens from now on, and comments while nothing does', async () => {
    await api.addEvents({ summary: 'old' });
    let sawHeartbeat = (): void => undefined;
    const heartbeat = new Promise<void>((resolve) => (sawHeartbeat = resolve));
    const reading = stream(api, {}, (t) => {
      if (t.includes(': heartbeat')) sawHeartbeat();
      return idsIn(t).length > 0;
    });
    await heartbeat;
    await api.addEvents({ summary: 'new' });
    const text = await reading;
    expect(idsIn(text)).toEqual([2]);
    expect(text).toMatch(/^event: saga\ndata: \{.*"summary":"new".*\}$/m);
  });

  it('is limited to a group when asked, and shows decisions without their explanation', async () => {
    await api.addEvents({ group: null, summary: 'of nobody' });
    await api.addDecision();
    const text = await stream(api, {}, (t) => idsIn(t).length > 0, '?after=0&group=orders');
    expect(idsIn(text)).toEqual([2]);
    expect(text).toContain('"explain":"/v1/groups/orders/explain?event=2"');
    expect(text).not.toContain('rowsAbove');
  });

  it('outlives the store, and ends when the controller stops', async () => {
    const other = await start('ctl-b');
    const text = { now: '' };
    const reading = stream(other, { 'last-event-id': '0' }, (t) => {
      text.now = t;
      return false;
    });
    const seen = (what: string) =>
      waitFor(what, () => text.now.includes(what) || undefined, { timeoutMs: 5_000, pollMs: 5 });
    await seen(': connected');
    database.partition('ctl-b');
    await api.addEvents({ summary: 'meanwhile' });
    await seen(': heartbeat');
    database.heal('ctl-b');
    await seen('meanwhile');
    apps = apps.filter((a) => a !== other);
    await other.close();
    expect(idsIn(await reading)).toEqual([1]);
  });

  it('a closed reader frees its place', async () => {
    for (let i = 0; i < 40; i += 1) await stream(api, {}, (t) => t.includes(': connected'));
    await get('/healthz').expect(200);
  });
});
