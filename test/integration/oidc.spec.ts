import { SignJWT } from 'jose';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OidcOptions } from '../../apps/controller/src/operator/oidc/oidc.options.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, TOKEN } from './api-app.js';
import { AUDIENCE, OidcIssuer } from './oidc-issuer.js';

let issuer: OidcIssuer;
let api: ApiApp;

const options = (more: Partial<OidcOptions> = {}): OidcOptions => ({
  ...{ issuer: issuer.url, audience: AUDIENCE, jwksFile: null, nameClaim: 'sub', roleClaim: 'roles' },
  roles: { viewer: ['staff'], operator: ['kafka-oncall'], admin: ['kafka-admins'] },
  ...{ clockSkewMs: 30_000, keyTimes: { freshMs: 600_000, againMs: 0, answerMs: 5_000 } },
  ...more,
});

beforeEach(async () => {
  issuer = await OidcIssuer.start();
  api = await ApiApp.start('ctl-a', new MemoryAuthorityDatabase(), { oidc: options() });
  await api.lead();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await api.close();
  await issuer.close();
});

const get = (path: string, token: string) => api.get(path, token);
const statusOf = async (path: string, token: string): Promise<number> => (await get(path, token)).status;
const pause = (token: string, key: string) =>
  api.act('pause', { reason: 'upgrade', by: 'kim', owner: 'kim', expiresIn: '1h' }, { token, key });

describe('a token of a real issuer', () => {
  it('gives the highest role that its claim is mapped to: viewer < operator < admin', async () => {
    const [lee, kim, ada] = await Promise.all(['lee', 'kim', 'ada'].map((person) => issuer.token(person)));
    for (const token of [lee!, kim!, ada!]) expect(await statusOf('/v1/groups', token)).toBe(200);
    expect((await pause(lee!, 'lee')).body).toMatchObject({ status: 403, code: 'role_too_low' });
    expect((await pause(kim!, 'kim')).status).toBeLessThan(300);
    expect([await statusOf('/v1/tokens', kim!), await statusOf('/v1/tokens', ada!)]).toEqual([403, 200]);
  });

  it('without a mapped role is known and not allowed: 403, not 401', async () => {
    const answer = await get('/v1/groups', await issuer.token('bob'));
    expect([answer.status, answer.body.code]).toEqual([403, 'role_missing']);
  });

  it('is in the audit with how the person was known; refusals too', async () => {
    await pause(await issuer.token('kim'), 'kim');
    await pause(await issuer.token('lee'), 'lee');
    await expect
      .poll(async () => (await api.store.audit(0, 99)).map((row) => row.detail), { timeout: 5_000 })
      .toContainEqual(expect.objectContaining({ code: 'role_too_low' }));
    const audit = await api.store.audit(0, 99);
    const paused = audit.find((row) => row.action === 'pause');
    expect(paused).toMatchObject({ actor: 'operator:kim', detail: { authenticated: 'oidc:kim', from: '127.0.0.1' } });
    expect(audit.find((row) => row.action === 'denied')?.actor).toBe('oidc:lee');
  });

  it('ends an open event stream with its own end', async () => {
    const token = await issuer.forge({ exp: Math.floor(Date.now() / 1_000) + 600 });
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
    const res = await fetch(`${api.url}/v1/events`, { headers });
    let text = '';
    for await (const chunk of res.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (chunk.includes(': heartbeat')) vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    }
    expect(text).toMatch(/: not authorised any more\n\n$/);
  });

  it('stands beside the tokens that there were before', async () => {
    expect(await statusOf('/v1/groups', TOKEN)).toBe(200);
    expect((await request(api.url).get('/v1/groups')).body).toMatchObject({ status: 401, code: 'token_missing' });
    expect((await get('/v1/groups', 'no-token-of-ours')).body).toMatchObject({ status: 401, code: 'token_wrong' });
  });
});

describe('what is not accepted: 401, and the answer never repeats the token', () => {
  const past = (seconds: number): number => Math.floor(Date.now() / 1_000) - seconds;
  const unsigned = (): string => {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: issuer.url, aud: AUDIENCE, sub: 'ada', roles: ['kafka-admins'], exp: past(-60) };
    return `${part({ alg: 'none' })}.${part(claims)}.`;
  };
  const shared = (): Promise<string> =>
    new SignJWT({ iss: issuer.url, aud: AUDIENCE, sub: 'ada', roles: ['kafka-admins'], exp: past(-60) })
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .sign(new TextEncoder().encode('the public key is no shared secret'));

  it.each([
    ['another audience', () => issuer.forge({ aud: 'payroll' })],
    ['another issuer', () => issuer.forge({ iss: 'http://127.0.0.1:1' })],
    ['expired beyond the skew', () => issuer.forge({ exp: past(40) })],
    ['not valid before long', () => issuer.forge({ nbf: past(-90) })],
    ['no end', () => issuer.forge({ exp: undefined })],
    ['nobody', () => issuer.forge({ sub: undefined })],
    ['an unknown key', () => issuer.forge({}, 'stolen')],
    ['no signature', async () => unsigned()],
    ['a shared secret', shared],
  ])('%s', async (_name, make) => {
    const token = await make();
    const answer = await get('/v1/groups', token);
    expect([answer.status, answer.body.code]).toEqual([401, 'token_wrong']);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    for (const part of token.split('.').filter(Boolean)) expect(JSON.stringify(answer.body)).not.toContain(part);
  });

  it('a clock that is off by less than the skew is forgiven', async () => {
    expect(await statusOf('/v1/groups', await issuer.forge({ exp: past(20) }))).toBe(200);
  });
});

describe('the keys', () => {
  const keyState = async (): Promise<unknown> => (await request(api.url).get('/readyz')).body.checks.signInKeys;

  it('stand while the issuer is down, and readyz says so; a rotated key is found by itself', async () => {
    const old = await issuer.token('kim');
    expect(await keyState()).toBe('none');
    expect(await statusOf('/v1/groups', old)).toBe(200);
    expect(await keyState()).toBe('fresh');
    const unknown = await issuer.forge({}, 'stolen');
    await issuer.close();
    expect(await statusOf('/v1/groups', old)).toBe(200);
    expect(await statusOf('/v1/groups', unknown)).toBe(401);
    expect(await keyState()).toBe('cached');
    expect(await statusOf('/v1/groups', old)).toBe(200);
    await issuer.rotate();
    expect(await statusOf('/v1/groups', await issuer.token('kim'))).toBe(200);
    expect([await keyState(), await statusOf('/v1/groups', old)]).toEqual(['fresh', 401]);
  });

  it('never read: 503 for sign-ins, while tokens go on', async () => {
    const token = await issuer.token('kim');
    await issuer.close();
    expect((await get('/v1/groups', token)).body).toMatchObject({ status: 503, code: 'sign_in_unavailable' });
    expect(await statusOf('/v1/groups', TOKEN)).toBe(200);
  });
});
