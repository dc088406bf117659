import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import request from 'supertest';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClientReport, Pointer } from '#config-center';
import { ALERT } from '../../apps/controller/src/operator/contract/examples/records.example.js';
import type { Json } from '#failover';
import { SAGA, TAIL } from '../../apps/controller/src/operator/contract/examples/saga.example.js';
import { aSaga, anAlert, anEntry } from '../../apps/controller/src/persistence/conformance/builders.js';
import { ROLES, type Role } from '../../apps/controller/src/persistence/tokens.port.js';
import { ensureSchemathesis, runCommand } from '../../tools/setup/index.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, TOKEN } from './api-app.js';

/** Bounded: a fixed seed and so many calls per route and phase, not so much time. */
const EXAMPLES_PER_ROUTE = 5;
const PHASES = 'examples,fuzzing';
const SEED = 20_261_127;
const RUN_MS = 300_000;
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'missing_required_header',
  'ignored_auth',
];

const POINTER: Pointer = {
  ...{ version: 1, group: 'orders', activeCluster: 'a', mode: 'ACTIVE', epoch: 7, term: 1, sagaId: null },
  ...{ bootstrapServers: ['127.0.0.1:9092'], publishedAt: '2026-11-20T14:02:31.000Z' },
};
const CLIENT: ClientReport = {
  ...{ version: 1, group: 'orders', instance: 'shop-1', kind: 'consumer', name: 'billing', cluster: 'a' },
  ...{ epoch: 7, mode: 'ACTIVE', state: 'following', warnings: [] },
};

let python: string;
let folder: string;
let api: ApiApp;

beforeAll(async () => {
  python = await ensureSchemathesis();
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pointsman-schemathesis-'));
  api = await ApiApp.start(
    'ctl-a',
    new MemoryAuthorityDatabase(),
    {},
    { read: async () => POINTER, adoptions: async () => [CLIENT] },
  );
  await api.lead();
  await seed();
});
afterEach(async () => {
  await api.close();
  await rm(folder, { recursive: true, force: true });
});

/** So that the examples of the document find what they name. */
async function seed(): Promise<void> {
  const { group: _group, ...survey } = TAIL;
  await api.addSurvey(JSON.parse(JSON.stringify(survey)) as Json);
  await api.addDecision();
  const { term, me } = api.leadership.current();
  await api.store.transact(term, me, async (tx) => {
    await tx.openSaga(aSaga(SAGA.id, 'orders', { term }));
    await tx.appendJournal(SAGA.id, [anEntry('open', 'intent'), anEntry('open', 'done')]);
    await tx.enqueueAlert({ ...anAlert(ALERT.alert.id), group: 'orders' });
  });
}

async function tokenOf(role: Role): Promise<string> {
  const { body } = await request(api.url)
    .post('/v1/tokens')
    .set('authorization', `Bearer ${TOKEN}`)
    .set('idempotency-key', `for-${role}`)
    .send({ name: `for ${role}`, role, expiresIn: '1h' })
    .expect(201);
  return (body as { token: string }).token;
}

/** The token goes by the environment: a command line is seen by everybody on the machine. */
const CONFIG = `[headers]
Authorization = "Bearer \${POINTSMAN_TEST_TOKEN}"

[checks.negative_data_rejection]
# An If-Match that is not the epoch is stale, however it is written (RFC 9110).
expected-statuses = [400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429]
`;

describe('schemathesis over the served document', () => {
  it.each(ROLES)('finds no 5xx and no undocumented answer as %s', { timeout: RUN_MS }, async (role) => {
    const config = path.join(folder, 'schemathesis.toml');
    await writeFile(config, CONFIG);
    const ran = await runCommand(
      python,
      [
        ...['-m', 'schemathesis.cli', '--config-file', config, 'run', `${api.url}/v1/openapi.json`],
        ...['--phases', PHASES, '--max-examples', String(EXAMPLES_PER_ROUTE)],
        ...['--checks', CHECKS.join(','), '--seed', String(SEED), '--workers', '1', '--no-color'],
        ...['--continue-on-failure', '--request-timeout', '10', '--no-shrink', '--suppress-health-check', 'all'],
      ],
      {
        cwd: folder,
        env: { ...process.env, POINTSMAN_TEST_TOKEN: await tokenOf(role), NO_COLOR: '1' },
        timeoutMs: RUN_MS,
      },
    );
    expect(ran.code === 0 ? '' : `${ran.stdout}${ran.stderr}`).toBe('');
    expect(ran.stdout).toMatch(/\d+ generated, \d+ passed/);
  });
});
