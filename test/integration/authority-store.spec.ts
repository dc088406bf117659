import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { startLab, waitFor, type Lab } from '#lab';
import { authorityStoreConformance } from '../../apps/controller/src/persistence/authority-store.conformance.js';
import { createAuthorityStore } from '../../apps/controller/src/persistence/create-authority-store.js';

let lab: Lab;
let mainUrl: string;
beforeAll(async () => {
  lab = await startLab({ clusters: {}, connect: false });
  mainUrl = await lab.postgresUrl('c');
  await waitFor('the way to PostgreSQL is open', () => runSql('select 1'), { timeoutMs: 10_000 });
});
afterAll(async () => {
  await lab.close();
});

async function runSql(statement: string): Promise<true> {
  const client = new pg.Client({ connectionString: mainUrl });
  client.on('error', () => undefined); // a broken connection is told by the call that it broke
  await client.connect();
  await client.query(statement).finally(() => client.end());
  return true;
}

/** An empty database of its own on the lab's server. */
async function freshDatabase(): Promise<string> {
  const name = `t${randomBytes(6).toString('hex')}`;
  await runSql(`create database ${name}`);
  return mainUrl.replace(/[^/]+$/, name);
}

authorityStoreConformance('SQL (PostgreSQL)', async () => {
  const url = await freshDatabase();
  return { open: () => createAuthorityStore({ url, poolSize: 4 }), dispose: async () => undefined };
});
