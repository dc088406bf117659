import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '#lab';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, TOKEN } from './api-app.js';

const LIMIT = { windowMs: 60_000, reads: 8, writes: 3 };

let api: ApiApp;
beforeEach(async () => {
  api = await ApiApp.start('ctl-a', new MemoryAuthorityDatabase(), { rateLimit: LIMIT });
  await api.lead();
});
afterEach(() => api.close());

const get = (path: string, token = TOKEN) => api.get(path, token);
const pause = () => api.act('pause', { owner: 'kim', reason: 'upgrade', expiresIn: '2h' });

describe('limits', () => {
  it('are per token over all routes, and say when to come back', async () => {
    for (let i = 0; i < LIMIT.reads; i += 1) await get(i % 2 === 0 ? '/v1/groups' : '/v1/agents').expect(200);
    const { body, headers } = await get('/v1/controllers').expect(429);
    expect(body).toMatchObject({ code: 'too_many_requests', status: 429 });
    const waitS = Number(headers['retry-after']);
    expect(waitS).toBeGreaterThan(0);
    expect(waitS).toBeLessThanOrEqual(LIMIT.windowMs / 1_000);
  });

  it('count reads and writes apart', async () => {
    for (let i = 0; i < LIMIT.reads; i += 1) await get('/v1/groups').expect(200);
    await get('/v1/groups').expect(429);
    for (let i = 0; i < LIMIT.writes; i += 1) await pause().expect(202);
    await pause().expect(429);
  });

  it('keep one token from spending what is another’s, and leave monitors alone', async () => {
    const { body } = await request(api.url)
      .post('/v1/tokens')
      .set('authorization', `Bearer ${TOKEN}`)
      .set('idempotency-key', 'dashboard')
      .send({ name: 'dashboard', role: 'viewer', expiresIn: '1h' })
      .expect(201);
    const { token } = body as { token: string };
    for (let i = 0; i < LIMIT.reads; i += 1) await get('/v1/groups', token).expect(200);
    await get('/v1/groups', token).expect(429);
    await get('/v1/groups').expect(200);
    for (let i = 0; i <= LIMIT.reads; i += 1) await request(api.url).get('/healthz').expect(200);
  });
});

describe('the id of a request', () => {
  it('is in every answer and in the log, with who asked, and never the token', async () => {
    const good = await get('/v1/groups').expect(200);
    const bad = await request(api.url).get('/v1/groups').expect(401);
    const done = await pause().expect(202);
    const ids = [good, bad, done].map(({ headers }) => String(headers['x-request-id']));
    expect(new Set(ids).size).toBe(3);
    expect(bad.body.requestId).toBe(ids[1]);
    const line = await waitFor('the write is logged', () => api.logged.find((each) => each.includes(ids[2] ?? '')), {
      timeoutMs: 10_000,
    });
    expect(JSON.parse(line)).toMatchObject({
      'http.request.id': ids[2],
      'http.request.method': 'POST',
      'url.path': '/v1/groups/orders/pause',
      'http.response.status_code': 202,
      'user.name': 'file-token',
    });
    expect(api.logged.join('')).not.toContain(TOKEN);
  });
});
