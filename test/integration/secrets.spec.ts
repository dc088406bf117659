import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Lab, startLab } from '#lab';
import { API_TOKEN, controllerFile, GROUP, LoneController, type RawFile } from './lone-controller.js';
import { OidcIssuer, AUDIENCE } from './oidc-issuer.js';

const STORE_PASSWORD = 'store-password-for-tests';
const WEBHOOK_SECRET = 'whsec_d2ViaG9vay1zZWNyZXQtZm9yLXRlc3Rz';

/** A controller through a bad hour; then everything that it said, and was started with, is searched for its secrets. */
let lab: Lab;
let issuer: OidcIssuer;
let controller: LoneController;
const said: string[] = [];
const secrets: string[] = [API_TOKEN, STORE_PASSWORD, WEBHOOK_SECRET];

beforeAll(async () => {
  lab = await startLab({ clusters: {}, connect: false });
  issuer = await OidcIssuer.start();
  const dir = join(lab.dir, 'ctl');
  const raw = await controllerFile(lab, dir);
  const url = (await lab.postgresUrl('c')).replace('postgres@', `postgres:${STORE_PASSWORD}@`);
  await writeFile(join(dir, 'store.url'), url);
  await writeFile(join(dir, 'webhook.secret'), WEBHOOK_SECRET);
  const http = {
    ...(raw['http'] as RawFile),
    oidc: { issuer: issuer.url, audience: AUDIENCE, roles: { operator: ['kafka-oncall'] } },
  };
  const webhook = { name: 'oncall', url: 'http://127.0.0.1:9/', secretFile: join(dir, 'webhook.secret') };
  const alerts = { allowPrivate: ['127.0.0.1'], webhooks: [webhook] };
  controller = await LoneController.start(lab, dir, { ...raw, http, alerts, log: { level: 'trace' } });
});
afterAll(async () => {
  await issuer?.close();
  await lab?.close();
});

async function call(method: 'GET' | 'POST', path: string, token: string, body?: unknown): Promise<string> {
  const response = await fetch(`${controller.url}${path}`, {
    method,
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      'idempotency-key': crypto.randomUUID(),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  return response.text();
}

it('tells no secret in arguments, logs or errors, whatever goes wrong', async () => {
  const made = await controller.until('a token is made', async () => {
    const text = await call('POST', '/v1/tokens', API_TOKEN, { name: 'kim', role: 'viewer', expiresIn: '1h' });
    return (JSON.parse(text) as { token?: string }).token;
  });
  const jwt = await issuer.token('kim');
  const forged = await issuer.forge({ aud: 'payroll' });
  secrets.push(made, jwt, forged);
  said.push(await call('GET', `/v1/groups/${GROUP}`, made), await call('GET', '/v1/tokens', API_TOKEN));
  said.push(await call('GET', '/v1/tokens', made), await call('GET', '/v1/groups', forged));
  said.push(await call('POST', '/v1/alerts/test', API_TOKEN, {}), await call('GET', '/v1/groups', jwt));

  await lab.kill({ postgres: true });
  await controller.process.waitForLine(/authority store not readable/, 20_000);
  said.push(await call('POST', '/v1/tokens', API_TOKEN, { name: 'lee', role: 'viewer', expiresIn: '1h' }));
  const from = controller.process.lines.length;
  await controller.write({ ...controller.raw, store: { type: 'mysql' } });
  controller.signal('SIGHUP');
  await controller.process.waitForLine(/not reloaded/, 10_000, from);
  await lab.start({ postgres: true });

  const argv = readFileSync(`/proc/${controller.process.pid}/cmdline`, 'utf8');
  const all = [argv, ...said, ...controller.process.lines];
  expect(said.every((text) => text.startsWith('{') || text.startsWith('['))).toBe(true);
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(12);
    expect(all.filter((text) => text.includes(secret))).toEqual([]);
  }
});
