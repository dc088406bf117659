import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';
import { startLab, waitFor, type Lab } from '#lab';
import { createAuthorityStore } from '../../apps/controller/src/persistence/create-authority-store.js';
import { systemTime } from '../../apps/controller/src/saga/saga-time.js';
import { COMMIT_DEATHS, crashMatrix, EFFECT_DEATHS, type MatrixHost } from '../simulation/crash-matrix.js';

/** The crash matrix of the simulation on a real authority store: every transaction and its loss are PostgreSQL's own. */
let lab: Lab;
let mainUrl: string;
beforeAll(async () => {
  lab = await startLab({ clusters: {}, connect: false });
  mainUrl = await lab.postgresUrl('c');
  await waitFor('the way to PostgreSQL is open', () => runSql('select 1'), { timeoutMs: 10_000 });
  await runSql(`create database ${TEMPLATE}`);
  await (await createAuthorityStore({ url: databaseUrl(TEMPLATE), poolSize: 1 })).close();
});
afterAll(async () => {
  await lab.close();
});

/** Migrated once; every case gets a copy. */
const TEMPLATE = `t${randomBytes(6).toString('hex')}`;
const databaseUrl = (name: string): string => mainUrl.replace(/[^/]+$/, name);

async function runSql(statement: string): Promise<true> {
  const client = new pg.Client({ connectionString: mainUrl });
  client.on('error', () => undefined); // a broken connection is told by the call that it broke
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
  return true;
}

/** All controllers of a case share one pool: what matters here is the transaction, not the connection. */
async function onPostgres(): Promise<MatrixHost> {
  const name = `t${randomBytes(6).toString('hex')}`;
  await runSql(`create database ${name} template ${TEMPLATE}`);
  const store = await createAuthorityStore({ url: databaseUrl(name), poolSize: 3 });
  return {
    time: systemTime,
    openStore: () => store,
    times: { pollMs: 5, waiverAfterMs: 50, refusalSpacingMs: 10, storeRetryMs: 20, commandMs: 500 },
    runUntil: async (done) => {
      await waitFor('the saga has got there', () => done() || undefined, { timeoutMs: 20_000, pollMs: 5 });
    },
    close: () => store.close(),
  };
}

describe('on PostgreSQL: a leader that dies around an effect', () => {
  crashMatrix(onPostgres, EFFECT_DEATHS, ['IDC a is dead']);
});

describe('on PostgreSQL: a leader that dies around a commit', () => {
  crashMatrix(onPostgres, COMMIT_DEATHS.slice(0, 32), ['IDC a is dead']);
});
