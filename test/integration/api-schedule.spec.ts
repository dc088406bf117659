import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultPolicy, type ScheduledSwitch } from '#failover';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, everythingIn, names, type CallOptions } from './api-app.js';

let database: MemoryAuthorityDatabase;
let api: ApiApp;

beforeEach(async () => {
  database = new MemoryAuthorityDatabase();
  api = await ApiApp.start('ctl-a', database);
  await api.lead();
});
afterEach(() => api.close());

const post = (body: object, more: CallOptions = {}) => api.act('switchover', body, more);
const group = async () => (await api.get('/v1/groups/orders').expect(200)).body;

const scheduledNow = async (): Promise<ScheduledSwitch | null> => (await api.store.groups())[0]?.scheduled ?? null;
const everything = (): string => everythingIn(database);

const TOMORROW = new Date(Date.now() + 86_400_000).toISOString();
const ORDER = { reason: 'broker upgrade', by: 'ann', target: 'b', at: TOMORROW };

describe('a switchover at a time', () => {
  it('is stored with who and why, shown with its group, and begins nothing now', async () => {
    const key = randomUUID();
    const { body, headers } = await post(ORDER, { key }).expect(202);
    expect(body).toMatchObject({ action: 'switchover', changed: true, saga: null, blockedBy: [] });
    expect(body.scheduled).toMatchObject({ target: 'b', at: TOMORROW, by: 'operator:ann', reason: 'broker upgrade' });
    expect(headers['location']).toBeUndefined();
    expect((await post(ORDER, { key }).expect(202)).body).toEqual(body);
    expect(await scheduledNow()).toMatchObject({ id: body.scheduled.id, epoch: 7, request: { by: 'operator:ann' } });
    expect((await group()).scheduled).toEqual(body.scheduled);
    expect(api.sagas.asked).toEqual([]);
    const [row] = await api.store.audit(0, 10);
    expect(row).toMatchObject({
      ...{ actor: 'operator:ann', action: 'switchover scheduled', reason: 'broker upgrade', epoch: 7 },
      detail: { authenticated: 'file-token', from: '127.0.0.1', requestId: expect.any(String) },
    });
    expect(names((await post(ORDER).expect(409)).body)).toEqual(['SCHEDULED_ALREADY']);
  });

  it('what would refuse it now is told and does not keep it from being scheduled; what never passes does', async () => {
    api.sagas.refusals = [{ name: 'TARGET_NOT_FIT', detail: 'b is being upgraded', liftedBy: 'b recovers' }];
    const { body } = await post({ ...ORDER, dryRun: true }).expect(202);
    expect(names(body)).toEqual(['TARGET_NOT_FIT']);
    expect(body.summary).toMatch(/1 reason stands in its way now$/);
    api.sagas.refusals = [{ name: 'WRONG_TARGET', detail: 'z is no member', liftedBy: 'pointsman status' }];
    expect(names((await post(ORDER).expect(409)).body)).toEqual(['WRONG_TARGET']);
  });

  it('a dry run writes nothing; a time that is over, or no UTC, is refused', async () => {
    const before = everything();
    await post({ ...ORDER, dryRun: true }).expect(202);
    expect(everything()).toBe(before);
    expect(names((await post({ ...ORDER, at: '2020-01-01T00:00:00Z' }).expect(409)).body)).toEqual(['WRONG_TIME']);
    const far = new Date(Date.now() + 31 * 86_400_000).toISOString();
    expect(names((await post({ ...ORDER, at: far }).expect(409)).body)).toEqual(['WRONG_TIME']);
    const local = await post({ ...ORDER, at: '2099-01-01T00:00:00+02:00' }).expect(400);
    expect(local.body.errors[0].pointer).toBe('/at');
  });

  it('abort by its id takes it back, once', async () => {
    const { body } = await post(ORDER).expect(202);
    const { id } = body.scheduled;
    const key = randomUUID();
    const abort = (of: string) => api.post(`/v1/sagas/${id}/abort`, { reason: 'not tonight', by: 'kim' }, { key: of });
    const taken = await abort(key).expect(202);
    expect(taken.body).toEqual({ saga: id, group: 'orders', outcome: 'aborted', scheduled: true });
    expect(taken.headers['location']).toBe('/v1/groups/orders');
    expect((await abort(key).expect(202)).body).toEqual(taken.body);
    await abort(randomUUID()).expect(404);
    expect((await group()).scheduled).toBeNull();
    expect((await api.store.audit(0, 10)).map((row) => [row.actor, row.action])).toEqual([
      ['operator:ann', 'switchover scheduled'],
      ['operator:kim', 'scheduled switchover taken back'],
    ]);
  });

  it('with a second person it is scheduled by the second yes', async () => {
    await api.close();
    const policy = { ...defaultPolicy, secondPersonFor: ['switchover'] as const };
    const config = { name: 'orders', clusters: ['a', 'b'], consumerGroups: [], principals: [], mode: 'auto' as const };
    database = new MemoryAuthorityDatabase();
    api = await ApiApp.start('ctl-a', database, { groups: [{ ...config, policy }] });
    await api.lead();
    const kim = await api.post('/v1/tokens', { name: 'kim', role: 'operator', expiresIn: '1d' });
    const asked = await post(ORDER).expect(202);
    expect(asked.body.proposal).toMatchObject({ act: 'switchover', request: { at: TOMORROW } });
    expect(await scheduledNow()).toBeNull();
    const yes = { reason: 'agreed', by: 'kim' };
    const token = String(kim.body.token);
    const accepted = await api.post('/v1/groups/orders/approve', yes, { token }).expect(202);
    expect(accepted.body).toMatchObject({ saga: null, scheduled: { at: TOMORROW } });
    expect(await scheduledNow()).toMatchObject({ at: TOMORROW });
    expect((await group()).proposal).toMatchObject({ state: 'approved', closed: { by: 'operator:kim', saga: null } });
  });
});
