import { readFileSync } from 'node:fs';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problemExample } from '../../apps/controller/src/operator/contract/examples/problem.example.js';
import { ALL_ROUTES, ROUTES } from '../../apps/controller/src/operator/contract/routes.js';
import { mayCall, neededRole, ROUTE_ROLES } from '../../apps/controller/src/operator/http/route-roles.js';
import { ROLES, type Role } from '../../apps/controller/src/persistence/tokens.port.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, TOKEN } from './api-app.js';
import { contractBreach } from './contract-check.js';

let database: MemoryAuthorityDatabase;
let api: ApiApp;
beforeEach(async () => {
  database = new MemoryAuthorityDatabase();
  api = await ApiApp.start('ctl-a', database);
  await api.lead();
});
afterEach(() => api.close());

const as = (token: string, method: 'get' | 'post', path: string, key: string = crypto.randomUUID()) =>
  request(api.url)[method](path).set('authorization', `Bearer ${token}`).set('idempotency-key', key);
const create = async (role: Role, expiresIn = '1h'): Promise<{ id: string; token: string }> => {
  const { body } = await as(TOKEN, 'post', '/v1/tokens')
    .send({ name: `for ${role}`, role, expiresIn })
    .expect(201);
  return body as { id: string; token: string };
};

/** Every route that the HTTP server has, asked from itself. */
function served(): readonly string[] {
  const { router } = api.app.getHttpAdapter().getInstance() as Readonly<{
    router: Readonly<{ stack: readonly Layer[] }>;
  }>;
  return router.stack.flatMap(({ route }) =>
    route === undefined ? [] : Object.keys(route.methods).map((verb) => `${verb.toUpperCase()} ${route.path}`),
  );
}
type Layer = Readonly<{ route?: Readonly<{ path: string; methods: Readonly<Record<string, boolean>> }> }>;

describe('GET openapi.json', () => {
  it('is the committed document', async () => {
    const { body } = await as(TOKEN, 'get', '/v1/openapi.json').expect(200);
    expect(body).toEqual(JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')));
  });
});

describe('the contract of the table', () => {
  const alive = { status: 'ok', id: 'ctl-a', version: '1' };
  it.each([
    ['another status', { status: 201, media: 'application/json', body: alive }],
    ['another media type', { status: 200, media: 'text/html', body: alive }],
    ['a member more', { status: 200, media: 'application/json', body: { ...alive, more: 1 } }],
    [
      'a problem that is not its own',
      { status: 404, media: 'application/problem+json', body: problemExample('not_found') },
    ],
  ])('is broken by %s', (_, answer) => {
    expect(contractBreach(ROUTES.alive, answer)).not.toBeNull();
    expect(contractBreach(ROUTES.alive, { status: 200, media: 'application/json', body: alive })).toBeNull();
  });
});

describe('routes × roles', () => {
  it('names every route that is served, and no other', () => {
    expect(served().toSorted()).toEqual(ALL_ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted());
  });

  it.each(Object.entries(ROUTE_ROLES))('%s', async (route, least) => {
    const [verb = '', path = ''] = route.split(' ');
    expect(neededRole(verb, path)).toBe(least);
    for (const role of ROLES.filter((each) => !mayCall(each, least))) {
      const { token } = await create(role);
      const concrete = path.replace(':group', 'orders').replace(':id', 'x');
      const { body } = await as(token, verb === 'GET' ? 'get' : 'post', concrete)
        .send({})
        .expect(403);
      expect(body.code).toBe('role_too_low');
    }
  });
});

describe('tokens', () => {
  it('are shown once, kept as a hash, and named in the audit', async () => {
    const { token, id } = await create('operator');
    expect(token).toMatch(/^pt_[\w-]{43}$/);
    expect(JSON.stringify([...database.tables.tokens.values(), ...database.tables.audit])).not.toContain(token);
    const { body } = await as(TOKEN, 'get', '/v1/tokens').expect(200);
    expect(body.tokens).toMatchObject([{ id, role: 'operator', createdBy: 'file-token', revokedAt: null }]);
    expect(JSON.stringify(body)).not.toMatch(/hash/);
    expect(database.tables.audit.at(-1)).toMatchObject({ action: 'token-create', actor: 'file-token' });
    await as(token, 'get', '/v1/groups').expect(200);
  });

  it('are made once per key, and a repeat does not show them again', async () => {
    const ask = () => as(TOKEN, 'post', '/v1/tokens', 'k-1').send({ name: 'ci', role: 'viewer', expiresIn: '1h' });
    const { body: first } = await ask().expect(201);
    const { body: again } = await ask().expect(201);
    expect(again).toEqual({ ...first, token: null });
    expect((await as(TOKEN, 'get', '/v1/tokens')).body.tokens).toHaveLength(1);
    expect(JSON.stringify([...database.tables.answers.values()])).not.toContain(first.token);
    const other = as(TOKEN, 'post', '/v1/tokens', 'k-1').send({ name: 'ci', role: 'admin', expiresIn: '1h' });
    expect((await other.expect(422)).body.code).toBe('idempotency_key_reused');
    const revoke = () => as(TOKEN, 'post', `/v1/tokens/${first.id}/revoke`, 'k-2').send({});
    expect((await revoke().expect(200)).body).toEqual((await revoke().expect(200)).body);
    expect(database.tables.audit.filter((row) => row.action === 'token-revoke')).toHaveLength(1);
  });

  it('are refused once revoked, and once they have ended', async () => {
    const [first, short] = [await create('viewer'), await create('viewer', '1ms')];
    await as(first.token, 'get', '/v1/groups').expect(200);
    await as(TOKEN, 'post', `/v1/tokens/${first.id}/revoke`).send({}).expect(200);
    await as(first.token, 'get', '/v1/groups').expect(401);
    await as(short.token, 'get', '/v1/groups').expect(401);
    await as(TOKEN, 'post', '/v1/tokens/nobody/revoke').send({}).expect(404);
  });

  it('work on while the store is down; they must have an end', async () => {
    const { token } = await create('viewer');
    await as(token, 'get', '/v1/groups').expect(200);
    database.stop();
    await as(token, 'get', '/v1/agents').expect(200);
    database.start();
    await as(TOKEN, 'post', '/v1/tokens').send({ name: 'x', role: 'viewer', expiresIn: '900d' }).expect(400);
  });
});
