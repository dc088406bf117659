import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, TOKEN, type CallOptions } from './api-app.js';

let database: MemoryAuthorityDatabase;
let api: ApiApp;

beforeEach(async () => {
  database = new MemoryAuthorityDatabase();
  api = await ApiApp.start('ctl-a', database);
  await api.lead();
});
afterEach(() => api.close());

const SWITCH = { target: 'b', reason: 'broker upgrade', by: 'ann' };

const post = (path: string, body: object, more: CallOptions = {}) => api.post(path, body, more);
const switchover = (body: object = SWITCH, more: CallOptions = {}) => api.act('switchover', body, more);

const REFUSED = { name: 'TARGET_NOT_FIT', detail: 'agent-b sees no quorum leader', liftedBy: 'b recovers' };

describe('POST switchover', () => {
  it('answers 202 with the place to look, and that place says how far it is', async () => {
    const answer = await switchover().expect(202);
    expect(answer.headers['location']).toBe(`/v1/operations/${answer.body.saga}`);
    expect(answer.body).toMatchObject({ action: 'switchover', dryRun: false, changed: true, source: 'a', target: 'b' });
    const operation = await request(api.url)
      .get(String(answer.headers['location']))
      .set('authorization', `Bearer ${TOKEN}`)
      .expect(200);
    expect(operation.body).toMatchObject({ id: answer.body.saga, kind: 'switchover', done: false, steps: [] });
    expect(api.sagas.asked).toMatchObject([
      { target: 'b', request: { by: 'operator:ann', acceptUnfencedSource: false } },
    ]);
  });

  it('does it once per key', async () => {
    const key = randomUUID();
    const first = await switchover(SWITCH, { key }).expect(202);
    const again = await switchover(SWITCH, { key }).expect(202);
    expect(again.body).toEqual(first.body);
    expect(api.sagas.asked).toHaveLength(1);
    await switchover({ ...SWITCH, reason: 'another' }, { key }).expect(422);
  });

  it('lists all reasons, the same in a dry run, and changes nothing', async () => {
    api.sagas.refusals = [REFUSED, { ...REFUSED, name: 'LAG_OVER_BUDGET' }];
    for (const dryRun of [false, true]) {
      const refused = await switchover({ ...SWITCH, dryRun }).expect(409);
      expect(refused.body).toMatchObject({ code: 'refused', blockedBy: api.sagas.refusals });
    }
    expect(database.tables.sagas.size).toBe(0);
  });

  it('a dry run shows every step and opens nothing', async () => {
    const { body } = await switchover({ ...SWITCH, dryRun: true }).expect(202);
    expect(body).toMatchObject({ dryRun: true, changed: false, saga: null });
    expect(body.steps.map((s: { step: string }) => s.step)).toContain('publish');
    expect(database.tables.sagas.size).toBe(0);
    expect(database.tables.audit).toHaveLength(0);
  });

  it('wants the epoch that was seen, and a reason', async () => {
    await switchover(SWITCH, { epoch: 6 }).expect(412);
    await switchover(SWITCH, { epoch: null }).expect(428);
    await switchover({ target: 'b' }).expect(400);
    expect(database.tables.sagas.size).toBe(0);
  });

  it('a second one while a saga is open is refused by name', async () => {
    await switchover().expect(202);
    const { body } = await switchover().expect(409);
    expect(body.blockedBy).toMatchObject([{ name: 'SAGA_OPEN' }]);
  });
});

describe('POST failback and abort', () => {
  it('failback goes where the driver says the ledger leads', async () => {
    const { body } = await post('/v1/groups/orders/failback', { reason: 'home again' }).expect(202);
    expect(body).toMatchObject({ action: 'failback', changed: true });
    expect(api.sagas.asked).toMatchObject([{ kind: 'failback', target: null }]);
  });

  it('abort needs no epoch; it answers aborted, too late, or that there is nothing to abort', async () => {
    const { body } = await switchover().expect(202);
    const abort = (more: CallOptions = {}) =>
      post(`/v1/sagas/${body.saga}/abort`, { reason: 'not tonight' }, { ...more, epoch: null });
    const key = randomUUID();
    const aborted = { saga: body.saga, group: 'orders', outcome: 'aborted' };
    await abort({ key }).expect(202, aborted);
    expect((await api.store.audit(0, 500)).at(-1)).toMatchObject({
      ...{ action: 'abort asked for', reason: 'not tonight', group: 'orders' },
      detail: { authenticated: 'file-token', from: '127.0.0.1', saga: body.saga },
    });
    api.sagas.abortAnswer = 'too-late: publish';
    expect((await abort().expect(409)).body).toMatchObject({ code: 'too_late', title: 'too-late: publish' });
    const { term, me } = api.leadership.current();
    await api.store.transact(term, me, (tx) => tx.closeSaga(body.saga, 'DONE', '2026-11-20T14:02:31.000Z'));
    expect((await abort().expect(409)).body).toMatchObject({ code: 'saga_closed' });
    await abort({ key }).expect(202, aborted); // a repeat gets the answer that was given
    await post('/v1/sagas/nothing/abort', { reason: 'x' }, { epoch: null }).expect(404);
  });
});
