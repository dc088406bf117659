import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AuditRow } from '../../apps/controller/src/persistence/authority-store.port.js';
import { DeniedAttempts } from '../../apps/controller/src/operator/http/denied-attempts.js';
import { aSaga, anAudit, lead } from '../../apps/controller/src/persistence/conformance/builders.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, TOKEN, everythingIn } from './api-app.js';

let database: MemoryAuthorityDatabase;
let api: ApiApp;
beforeEach(async () => {
  database = new MemoryAuthorityDatabase();
  api = await ApiApp.start('ctl-a', database);
  await api.lead();
});
afterEach(() => api.close());

const get = (path: string) => api.get(path);
const acts = async (n: number): Promise<void> => {
  const { term, me } = api.leadership.current();
  await api.store.transact(term, me, async (tx) => {
    for (let i = 1; i <= n; i += 1) await tx.appendAudit(anAudit(`act-${i}`));
  });
};
const tamper = (change: (rows: AuditRow[]) => AuditRow[]): void => {
  const { tables } = database;
  database.tables = { ...tables, audit: change([...tables.audit]) };
};

describe('the audit', () => {
  it('is whole as it was written, over its pages', async () => {
    await acts(1_203);
    const { body } = await get('/v1/audit/verify').expect(200);
    expect(body).toMatchObject({
      ok: true,
      rows: 1_203,
      last: { seq: 1_203, hash: database.tables.audit.at(-1)?.hash },
    });
  });

  it.each<[string, (rows: AuditRow[]) => AuditRow[], number]>([
    ['changed', (rows) => rows.map((row) => (row.seq === 600 ? { ...row, actor: 'nobody' } : row)), 600],
    ['removed', (rows) => rows.filter((row) => row.seq !== 501), 502],
    ['removed at the beginning', (rows) => rows.slice(1), 1],
    [
      're-ordered',
      (rows) =>
        rows.map((row) =>
          row.seq === 500
            ? { ...(rows[500] as AuditRow), seq: 500 }
            : row.seq === 501
              ? { ...(rows[499] as AuditRow), seq: 501 }
              : row,
        ),
      500,
    ],
  ])('tells when a row was %s', async (_, change, seq) => {
    await acts(700);
    tamper(change);
    const { body } = await get('/v1/audit/verify').expect(200);
    expect(body).toMatchObject({ ok: false, seq });
  });

  it('has denied attempts too, but not more than a bound of them', async () => {
    for (let i = 0; i < 70; i += 1) {
      await request(api.url).post('/v1/groups/orders/pause').set('authorization', 'Bearer guess').send({}).expect(401);
    }
    await vi.waitFor(() => expect(database.tables.audit).toHaveLength(60), { timeout: 10_000 });
    expect(database.tables.audit[0]).toMatchObject({
      ...{ actor: 'unknown', action: 'denied', group: 'orders' },
      detail: { status: 401, code: 'token_wrong' },
    });
    expect(JSON.stringify(database.tables.audit)).not.toContain('guess');
    expect((await get('/v1/audit/verify')).body.ok).toBe(true);
  });
});

describe('a dashboard whose token has ended', () => {
  const read = (path: string) => request(api.url).get(path).set('authorization', 'Bearer ended').expect(401);
  const denied = () => database.tables.audit.filter((row) => row.action === 'denied');

  it('is one row per route, and one more with the number of what came after', async () => {
    for (let i = 0; i < 20; i += 1) await read('/v1/groups');
    await read('/v1/groups/orders/explain');
    await vi.waitFor(() => expect(denied()).toHaveLength(2), { timeout: 10_000 });
    await api.app.get(DeniedAttempts).beforeApplicationShutdown();
    expect(denied()).toHaveLength(3);
    expect(denied().at(-1)).toMatchObject({
      ...{ actor: 'unknown', reason: 'GET /v1/groups: Not authorised, 19 more times' },
      detail: { status: 401, code: 'token_wrong', repeats: 19, from: '127.0.0.1' },
    });
    expect((await get('/v1/audit/verify')).body.ok).toBe(true);
  });

  it('hides no write: each is written at once, however many reads were denied', async () => {
    for (let i = 0; i < 65; i += 1) await read(`/v1/sagas/s-${i}`);
    for (let i = 0; i < 3; i += 1) {
      await request(api.url).post('/v1/groups/orders/pause').set('authorization', 'Bearer ended').send({}).expect(401);
    }
    const writes = () => denied().filter((row) => row.reason.startsWith('POST'));
    await vi.waitFor(() => expect(writes()).toHaveLength(3), { timeout: 10_000 });
    expect(denied()).toHaveLength(63);
  });

  it('is told by itself while it goes on', async () => {
    const brief = await ApiApp.start('ctl-b', database, { deniedRepeatsMs: 50 });
    api.leadership.follow(brief.leadership.me, 1);
    onTestFinished(() => brief.close());
    await brief.lead();
    for (let i = 0; i < 5; i += 1) await request(brief.url).get('/v1/groups').expect(401);
    await vi.waitFor(
      () => {
        const repeats = denied().map((row) => (row.detail as { repeats?: number }).repeats ?? 1);
        expect(repeats.reduce((sum, n) => sum + n, 0)).toBe(5);
      },
      { timeout: 10_000 },
    );
  });
});

describe("a saga's report", () => {
  beforeEach(async () => {
    const { term, me } = api.leadership.current();
    await api.store.transact(term, me, async (tx) => {
      await tx.openSaga(aSaga('01999999-0000-7000-8000-000000000001'));
      const at = '2026-11-20T14:03:00.000Z';
      await tx.appendJournal('01999999-0000-7000-8000-000000000001', [
        {
          ...{ step: 'close', direction: 'do', event: 'done', term, at, deadlineMs: null },
          evidence: {
            ...{ summary: 'DONE: published', rto: { detectMs: 2_000, adoptMs: null }, loss: { estimatedRecords: 12 } },
            ...{ timeline: { publishedAt: at }, votes: { 'agent-b': 'DOWN' } },
          },
        },
      ]);
      await tx.appendAudit({ ...anAudit('acknowledge'), actor: 'operator:kim', reason: 'seen | noted' });
    });
  });
  const path = '/v1/sagas/01999999-0000-7000-8000-000000000001/report';

  it('has the figures, the steps and who did what, as JSON', async () => {
    const { body } = await get(path).expect(200);
    expect(body).toMatchObject({
      figures: { rto: { detectMs: 2_000 }, loss: { estimatedRecords: 12 } },
      steps: [{ step: 'close', summary: 'DONE: published' }],
      acts: [{ actor: 'operator:kim', action: 'acknowledge' }],
    });
  });

  it('and as Markdown, which others cannot break by what they write', async () => {
    const { text } = await get(`${path}?format=markdown`)
      .expect(200)
      .expect('content-type', /markdown/);
    for (const part of [
      '## Times',
      '| detectMs | 2000 |',
      '| adoptMs | not known |',
      '## Loss',
      '## Votes',
      'operator:kim',
    ])
      expect(text).toContain(part);
    expect(text).toContain('seen \\| noted');
  });

  it('is 404 for a saga that nobody knows', async () => {
    await get('/v1/sagas/nope/report').expect(404);
  });
});

describe('alerts over HTTP', () => {
  const post = (path: string, body: object, key: string = crypto.randomUUID()) =>
    api.post(path, body, { key, epoch: null });

  it('a test is queued with its end, and audited', async () => {
    const { body } = await post('/v1/alerts/test', { reason: 'drill', by: 'kim' }).expect(202);
    expect(body.alerts.map((a: { type: string }) => a.type)).toEqual(['test', 'resolved']);
    const listed = await get('/v1/alerts?limit=2').expect(200);
    expect(listed.body.alerts.map((row: { alert: { type: string } }) => row.alert.type)).toEqual(['resolved', 'test']);
    expect(database.tables.audit.at(-1)).toMatchObject({
      ...{ actor: 'operator:kim', action: 'alert-test', detail: { authenticated: 'file-token', from: '127.0.0.1' } },
    });
  });

  it('a repeat of a key is answered alike and told once; another body with it is refused', async () => {
    const first = await post('/v1/alerts/test', { reason: 'drill' }, 'k-1').expect(202);
    const queued = (await get('/v1/alerts?limit=500')).body.alerts.length;
    expect((await post('/v1/alerts/test', { reason: 'drill' }, 'k-1').expect(202)).body).toEqual(first.body);
    expect((await get('/v1/alerts?limit=500')).body.alerts).toHaveLength(queued);
    await post('/v1/alerts/test', { reason: 'another' }, 'k-1').expect(422);
    const bare = request(api.url).post('/v1/alerts/test').set('authorization', `Bearer ${TOKEN}`);
    expect((await bare.send({ reason: 'drill' }).expect(400)).body.code).toBe('idempotency_key_missing');
  });

  it('a dead letter is listed and sent again once', async () => {
    const { body } = await post('/v1/alerts/test', { reason: 'drill' }).expect(202);
    const { id } = body.alerts[0];
    await post(`/v1/alerts/${id}/resend`, { reason: 'again' }).expect(409);
    await api.store.markAlert(id, 'pager', { failedAt: '2026-11-20T14:03:00.000Z', error: 'refused', dead: true });
    expect((await get('/v1/alerts?state=dead')).body.alerts).toHaveLength(1);
    await post(`/v1/alerts/${id}/resend`, { reason: 'again' }).expect(202, { alert: id, receivers: ['pager'] });
    await post(`/v1/alerts/${id}/resend`, { reason: 'again' }).expect(409);
    expect(database.tables.audit.filter((row) => row.action === 'alert-resend')).toHaveLength(1);
    await get('/v1/alerts?state=nonsense').expect(400);
    await get('/v1/alerts/nope').expect(404);
  });

  it('a dead letter that a leader of before opens again stays dead, and can be sent again later', async () => {
    const { body } = await post('/v1/alerts/test', { reason: 'drill' }).expect(202);
    const { id } = body.alerts[0];
    await api.store.markAlert(id, 'pager', { failedAt: '2026-11-20T14:03:00.000Z', error: 'refused', dead: true });
    const before = everythingIn(database);
    await lead(database.connect('ctl-b'), { id: 'ctl-b', advertise: '' });
    const { body: refused } = await post(`/v1/alerts/${id}/resend`, { reason: 'again' }, 'k-2').expect(503);
    expect(refused.detail).toContain('nothing was changed');
    expect((await api.store.alert(id))?.deliveries).toMatchObject([{ receiver: 'pager', attempts: 1, round: 1 }]);
    expect((await get('/v1/alerts?state=dead')).body.alerts).toHaveLength(1);
    expect(JSON.parse(everythingIn(database))).toEqual({ ...JSON.parse(before), lease: database.tables.lease });
    await api.lead();
    await post(`/v1/alerts/${id}/resend`, { reason: 'again' }, 'k-2').expect(202, { alert: id, receivers: ['pager'] });
  });
});
