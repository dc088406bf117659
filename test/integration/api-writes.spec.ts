import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiApp, TOKEN } from './api-app.js';
import { ApiRig } from './api-rig.js';

let rig: ApiRig;
let api: ApiApp;

beforeEach(async () => {
  rig = new ApiRig();
  api = await rig.start('ctl-a');
  await api.lead();
});
afterEach(() => rig.close());

const PAUSE = { owner: 'kim', reason: 'upgrade', expiresIn: '2h' };

describe('writes', () => {
  it('pauses with owner, reason and expiry; audit, event and change in one transaction', async () => {
    const before = rig.database.commits;
    const { body, headers } = await api.act('pause', PAUSE).expect(202);
    expect(rig.database.commits).toBe(before + 1);
    expect(body).toMatchObject({ group: 'orders', action: 'pause', dryRun: false, changed: true });
    const operation = (await api.get(String(headers['location'])).expect(200)).body;
    expect(headers['location']).toMatch(/^\/v1\/operations\/act-/);
    expect(operation).toMatchObject({ kind: 'pause', group: 'orders', done: true, outcome: 'DONE', source: null });
    expect(operation.reason).toBe(body.summary);
    const [row] = await api.store.groups();
    expect(row?.pause).toMatchObject({ owner: 'kim', reason: 'upgrade' });
    expect(Date.parse(row?.pause?.expiresAt ?? '') - Date.now()).toBeGreaterThan(7_100_000);
    expect((await api.get('/v1/groups/orders')).body.pause.owner).toBe('kim');
    const [audit] = await api.store.audit(0, 10);
    expect(audit).toMatchObject({ actor: 'operator:kim', action: 'pause', reason: 'upgrade', term: 1, epoch: 7 });
    expect((await api.store.events(0, 10))[0]).toMatchObject({ type: 'operator', group: 'orders' });
  });

  it('resumes what is paused, and refuses what is not', async () => {
    expect((await api.act('resume', { reason: 'done' }).expect(409)).body.code).toBe('not_paused');
    await api.act('pause', PAUSE).expect(202);
    await api.act('resume', { reason: 'done', by: 'kim' }).expect(202);
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
    await api.act('acknowledge', { reason: 'cause found' }).expect(202);
    const [row] = await api.store.groups();
    expect(row).toMatchObject({ frozen: null, lastUnpublishedClose: null, acknowledgedAt: expect.any(String) });
  });

  it('accepts loss by a named person, up to a limit, for a while', async () => {
    const body = { reason: 'INC-1', by: 'kim', maxRecords: 5_000, maxDuration: '90s', expiresIn: '30m' };
    await api.act('accept-loss', body).expect(202);
    const [row] = await api.store.groups();
    expect(row?.lossAcceptance).toMatchObject({ by: 'kim', reason: 'INC-1', maxRecords: 5_000, maxMs: 90_000 });
    const { by: _by, ...nameless } = body;
    expect((await api.act('accept-loss', nameless).expect(400)).body.errors[0].pointer).toBe('/by');
    const boundless = { reason: 'x', by: 'kim', expiresIn: '30m' };
    expect((await api.act('accept-loss', boundless).expect(400)).body.errors[0].pointer).toBe('/maxRecords');
    await api.act('accept-loss', { ...body, expiresIn: '48h' }).expect(400);
  });

  it('lists every broken field at once', async () => {
    const { body } = await api.act('pause', { owner: '', expiresIn: 'soon', extra: 1 }).expect(400);
    expect(body.code).toBe('invalid_body');
    expect(body.errors.map((e: { pointer: string }) => e.pointer)).toEqual(
      expect.arrayContaining(['/owner', '/reason', '/expiresIn']),
    );
    await api.act('pause', { ...PAUSE, expiresIn: '31d' }).expect(400);
    const broken = request(api.url).post('/v1/groups/orders/pause').set('authorization', `Bearer ${TOKEN}`);
    const sent = broken.set('idempotency-key', 'k').set('if-match', '"7"').set('content-type', 'application/json');
    await sent
      .send('{"reason')
      .expect(400)
      .expect('content-type', /problem\+json/);
  });

  it('wants the epoch that the caller has seen', async () => {
    expect((await api.act('pause', PAUSE, { epoch: null }).expect(428)).body.code).toBe('if_match_missing');
    expect((await api.act('pause', PAUSE, { epoch: 6 }).expect(412)).body.code).toBe('stale_epoch');
    const keyless = request(api.url).post('/v1/groups/orders/pause').set('authorization', `Bearer ${TOKEN}`);
    await keyless.set('if-match', '"7"').send(PAUSE).expect(400);
    expect(rig.database.tables.audit).toHaveLength(0);
  });

  it('a dry run says the same and writes nothing', async () => {
    const commits = rig.database.commits;
    const tables = JSON.stringify(rig.database.tables);
    for (const [act, body] of [
      ['pause', PAUSE],
      ['acknowledge', { reason: 'r' }],
      ['accept-loss', { reason: 'r', by: 'kim', maxRecords: 1, expiresIn: '1m' }],
    ] as const) {
      const dry = await api.act(act, { ...body, dryRun: true }).expect(202);
      expect(dry.body).toMatchObject({ dryRun: true, changed: false });
    }
    await api.act('resume', { reason: 'r', dryRun: true }).expect(409);
    await api.act('pause', { ...PAUSE, dryRun: true }, { epoch: 6 }).expect(412);
    expect(rig.database.commits).toBe(commits);
    expect(JSON.stringify(rig.database.tables)).toBe(tables);
  });
});

describe('idempotency', () => {
  it('the same key and body get the same answer, also from the next leader; another body gets 422', async () => {
    const first = await api.act('pause', PAUSE, { key: 'k1' }).expect(202);
    const again = await api.act('pause', PAUSE, { key: 'k1' }).expect(202);
    expect(again.body).toEqual(first.body);
    const b = await rig.start('ctl-b');
    await b.lead();
    expect((await b.act('pause', PAUSE, { key: 'k1' }).expect(202)).body).toEqual(first.body);
    expect((await b.act('pause', { ...PAUSE, expiresIn: '3h' }, { key: 'k1' }).expect(422)).body.code).toBe(
      'idempotency_key_reused',
    );
    expect(rig.database.tables.audit).toHaveLength(1);
  });

  it('20 at once have one effect', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.act('pause', PAUSE, { key: 'once' })));
    const statuses = new Set(answers.map((a) => a.status));
    expect([...statuses].every((s) => s === 202 || s === 409)).toBe(true);
    expect(statuses.has(202)).toBe(true);
    expect(rig.database.tables.audit).toHaveLength(1);
    expect(rig.database.tables.events).toHaveLength(1);
  });

  it('a repeat while the first is under way gets 409', async () => {
    const commit = rig.database.holdNext('commit-before', 'ctl-a');
    const first = api.act('pause', PAUSE, { key: 'slow' }).then((r) => r);
    await commit.reached;
    expect((await api.act('pause', PAUSE, { key: 'slow' }).expect(409)).body.code).toBe('in_flight');
    commit.release();
    expect((await first).status).toBe(202);
  });

  it('a commit whose answer was lost is found by the repeat', async () => {
    rig.database.failNext('commit-after', 'ctl-a');
    expect((await api.act('pause', PAUSE, { key: 'lost' }).expect(503)).body.code).toBe('outcome_unknown');
    await api.act('pause', PAUSE, { key: 'lost' }).expect(202);
    expect(rig.database.tables.audit).toHaveLength(1);
  });
});

describe('a controller that does not lead', () => {
  it('answers reads, and writes with 421 naming the leader', async () => {
    const b = await rig.start('ctl-b');
    b.leadership.follow(api.leadership.me, 1);
    await b.get('/v1/groups').expect(200);
    const { body } = await b
      .act('pause', PAUSE)
      .expect(421)
      .expect('content-type', /problem\+json/);
    expect(body).toMatchObject({ code: 'not_leader', leader: api.url });
    expect(rig.database.tables.audit).toHaveLength(0);
  });

  it('answers 503 with Retry-After when nobody leads', async () => {
    api.leadership.follow(null);
    const { headers, body } = await api.act('pause', PAUSE).expect(503);
    expect(headers['retry-after']).toBe('2');
    expect(body).toMatchObject({ code: 'no_leader', leader: null });
  });

  it('that only believes to lead writes nothing', async () => {
    const b = await rig.start('ctl-b');
    await b.lead();
    expect((await api.act('pause', PAUSE).expect(503)).body.code).toBe('no_leader');
    expect(rig.database.tables.audit).toHaveLength(0);
  });
});
