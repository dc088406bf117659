import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleGroup } from '#failover';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, everythingIn, type CallOptions } from './api-app.js';

let database: MemoryAuthorityDatabase;
let api: ApiApp;

beforeEach(async () => {
  database = new MemoryAuthorityDatabase();
  api = await ApiApp.start('ctl-a', database);
  await api.lead();
});
afterEach(() => api.close());

const post = (verb: string, body: object, more: CallOptions = {}) =>
  api.post(`/v1/${verb}`, body, { epoch: null, ...more });
const get = async (path: string) => await api.get(path).expect(200);
const everything = (): string => everythingIn(database);

const PAUSE = { reason: 'network work', owner: 'kim', expiresIn: '2h' };

describe('the pause of everything', () => {
  it('is told once, with owner, reason and expiry, and every group shows it', async () => {
    const key = randomUUID();
    const { body, headers } = await post('pause', PAUSE, { key }).expect(202);
    expect(body).toMatchObject({ action: 'pause', changed: true, groups: ['orders'], pause: { owner: 'kim' } });
    expect(headers['location']).toBe('/v1/groups');
    expect((await post('pause', PAUSE, { key }).expect(202)).body).toEqual(body);
    await post('pause', { ...PAUSE, owner: 'ann' }, { key }).expect(422);
    const { groups } = (await get('/v1/groups')).body;
    expect(groups).toMatchObject([{ pause: null, pausedEverywhere: body.pause }]);
    const [row] = await api.store.audit(0, 10);
    expect(row).toMatchObject({
      ...{ actor: 'operator:kim', action: 'pause all', group: null, epoch: null, reason: 'network work' },
      detail: {
        ...{ authenticated: 'file-token', from: '127.0.0.1', requestId: expect.any(String) },
        ...{ before: { pause: null }, after: { pause: { owner: 'kim' } } },
      },
    });
  });

  it('ends by a person; a group’s own pause is another one', async () => {
    expect((await post('resume', { reason: 'done', by: 'kim' }).expect(409)).body.code).toBe('not_paused');
    await post('pause', PAUSE).expect(202);
    const { body } = await post('resume', { reason: 'done', by: 'kim' }).expect(202);
    expect(body).toMatchObject({ action: 'resume', summary: 'resumed (everything was paused by kim)', pause: null });
    expect(await api.store.fleet()).toMatchObject({ pause: null, unpausedAt: expect.any(String) });
    expect((await get('/v1/groups/orders')).body.pausedEverywhere).toBeNull();
  });

  it('a dry run writes nothing; a standby names the leader; it must end by itself', async () => {
    const before = everything();
    expect((await post('pause', { ...PAUSE, dryRun: true }).expect(202)).body).toMatchObject({ changed: false });
    expect(everything()).toBe(before);
    await post('pause', { ...PAUSE, expiresIn: '31d' }).expect(400);
    api.leadership.follow({ id: 'ctl-b', advertise: 'http://ctl-b:8080' });
    expect((await post('pause', PAUSE).expect(421)).body.leader).toBe('http://ctl-b:8080');
  });

  it('explain says who, why and until when; the metric says when it ends', async () => {
    const pause = { owner: 'kim', reason: 'network work', expiresInMs: 60_000, everywhere: true };
    const { snapshot } = api.decisions.see({ group: sampleGroup({ pause }) });
    const { body } = await get('/v1/groups/orders/explain');
    const until = new Date(snapshot.wallNow + 60_000).toISOString();
    expect(body.pause).toEqual({ owner: 'kim', reason: 'network work', until, everywhere: true });
    expect(body.text).toContain(`paused     everywhere by kim until ${until}: network work`);
    const { text } = await request(api.url).get('/metrics').expect(200);
    const endsAt = (snapshot.wallNow + 60_000) / 1_000;
    expect(text).toContain(`pointsman_pause_end_timestamp_seconds{group="orders",scope="all"} ${endsAt}`);
  });
});
