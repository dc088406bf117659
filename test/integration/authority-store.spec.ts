import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLab, waitFor, type Lab } from '#lab';
import { authorityStoreConformance } from '../../apps/controller/src/persistence/authority-store.conformance.js';
import { StoreUnavailableError } from '../../apps/controller/src/persistence/authority-store.port.js';
import {
  A,
  AT,
  B,
  aGroup,
  aSaga,
  anAudit,
  anEvent,
  lead,
} from '../../apps/controller/src/persistence/conformance/builders.js';
import { ByGroup1795600000000 } from '../../apps/controller/src/persistence/migrations/1795600000000-by-group.js';
import { MIGRATIONS } from '../../apps/controller/src/persistence/migrations/index.js';
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

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // a broken connection is told by the call that it broke
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const runSql = (statement: string): Promise<true> =>
  connected<true>(mainUrl, async (client) => {
    await client.query(statement);
    return true;
  });

/** An empty database of its own on the lab's server. */
async function freshDatabase(): Promise<string> {
  const name = `t${randomBytes(6).toString('hex')}`;
  await runSql(`create database ${name}`);
  return mainUrl.replace(/[^/]+$/, name);
}

authorityStoreConformance('SQL (PostgreSQL)', async () => {
  const url = await freshDatabase();
  // Dropped, because a killed server syncs every file of every database before it answers again.
  const drop = async () => void (await runSql(`drop database ${url.split('/').at(-1) ?? ''} with (force)`));
  return { open: () => createAuthorityStore({ url, poolSize: 4 }), dispose: drop };
});

describe('PostgreSQL restarted', () => {
  it('in mid-transaction: nothing half-written, and the same store goes on', async () => {
    const store = await createAuthorityStore({ url: await freshDatabase() });
    const term = await lead(store, A);
    const work = store.transact(term, A.id, async (tx) => {
      await tx.saveGroup(aGroup());
      await tx.appendEvent(anEvent('half'));
      await lab.kill({ postgres: true });
      await tx.appendAudit(anAudit('never'));
    });
    await expect(work).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    await lab.start({ postgres: true });
    await waitFor('the store answers', () => store.ping().then(() => true as const), { timeoutMs: 10_000 });
    expect([await store.groups(), await store.events(0, 9), await store.audit(0, 9)]).toEqual([[], [], []]);
    expect(await store.readLease()).toMatchObject({ term, holder: A.id });
    await store.transact(term, A.id, (tx) => tx.saveGroup(aGroup()));
    expect(await store.groups()).toHaveLength(1);
    await store.close();
  });

  it('while idle: the pool replaces its connections', async () => {
    const broken: unknown[] = [];
    const store = await createAuthorityStore({ url: await freshDatabase(), onIdleError: (e) => void broken.push(e) });
    await Promise.all([store.ping(), store.readLease(), store.groups()]);
    await lab.kill({ postgres: true });
    await lab.start({ postgres: true });
    await waitFor('the store answers', () => store.ping().then(() => true as const), { timeoutMs: 10_000 });
    expect(broken.length).toBeGreaterThan(0);
    await store.close();
  });
});

describe('PostgreSQL out of reach', () => {
  it('that answers nothing is noticed within the statement time-out, and its stuck connections are not used again', async () => {
    const store = await createAuthorityStore({ url: await freshDatabase(), statementTimeoutMs: 500, poolSize: 2 });
    await store.ping();
    await lab.freeze({ postgres: true });
    const began = performance.now();
    await expect(store.ping()).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(performance.now() - began).toBeLessThan(20_000);
    await lab.thaw({ postgres: true });
    await waitFor('the store answers', () => store.ping().then(() => true as const), { timeoutMs: 10_000 });
    expect(await store.groups()).toEqual([]);
    await store.close();
  });

  it('at start: waited for, then told', async () => {
    const url = mainUrl.replace(/:\d+\//, `:${await lab.freePort()}/`);
    const making = createAuthorityStore({ url, connectForMs: 600 });
    await expect(making).rejects.toMatchObject({
      name: 'StoreUnavailableError',
      message: expect.stringContaining('connect'),
    });
  });
});

/** Rows without a hash, one in a thousand of them of the group `rare`. */
const manyAudits = (n: number): string =>
  `INSERT INTO pointsman_audit SELECT i, '${AT}', 'unknown', 'denied', CASE WHEN i % 1000 = 0 THEN 'rare' ELSE 'orders' END,
     'Not authorised', '{}', 1, NULL, '', '' FROM generate_series(1, ${n}) AS i`;
const manyIncidents = (n: number): string =>
  `INSERT INTO pointsman_incident SELECT 'i-' || i, CASE WHEN i % 1000 = 0 THEN 'rare' ELSE 'orders' END, '${AT}', '${AT}', '{}'
     FROM generate_series(1, ${n}) AS i`;
const INDEX = `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('pointsman_audit_by_group')`;

describe('PostgreSQL that holds years of records', () => {
  it.each([
    ['audit', manyAudits(50_000), `WHERE group_name = 'rare' ORDER BY seq DESC LIMIT 50`],
    ['incident', manyIncidents(50_000), `WHERE group_name = 'rare' ORDER BY opened_at DESC, incident DESC LIMIT 50`],
  ])('finds one group in the %s by an index', async (table, fill, question) => {
    const url = await freshDatabase();
    await (await createAuthorityStore({ url, poolSize: 1 })).close();
    await connected(url, async (client) => {
      await client.query(fill);
      await client.query(`ANALYZE pointsman_${table}`);
      const { rows } = await client.query(`EXPLAIN SELECT * FROM pointsman_${table} ${question}`);
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain(`pointsman_${table}_by_group`);
    });
  });

  it('gets the index of its audit beside running writes, however long that takes', async () => {
    const url = await freshDatabase();
    const before = MIGRATIONS.slice(0, MIGRATIONS.indexOf(ByGroup1795600000000));
    const older = new DataSource({
      ...{ type: 'postgres', url, migrations: [...before], installExtensions: false },
      ...{ migrationsTableName: 'pointsman_migrations', migrationsTransactionMode: 'each' },
    });
    await older.initialize();
    await older.runMigrations();
    await older.destroy();
    await connected(url, async (client) => {
      await client.query(manyAudits(20_000));
      const begun = await connected(url, async (reader) => {
        await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
        await reader.query('SELECT count(*) FROM pointsman_audit'); // a backup: the index waits for its end
        const opening = createAuthorityStore({ url, statementTimeoutMs: 300 });
        await waitFor(
          'it takes longer than a statement may',
          async () => {
            const { rowCount } = await client.query(
              `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND state = 'active'
                 AND datname = current_database() AND clock_timestamp() - query_start > interval '700 ms'`,
            );
            return rowCount === 1 || undefined;
          },
          { timeoutMs: 10_000 },
        );
        expect((await client.query(INDEX)).rows).toEqual([{ valid: false }]);
        await client.query('SET lock_timeout = 200');
        await client.query(`UPDATE pointsman_audit SET reason = 'written meanwhile' WHERE seq = 7`);
        return { opening };
      });
      const store = await begun.opening;
      expect((await client.query(INDEX)).rows).toEqual([{ valid: true }]);
      await store.close();
    });
  });
});

describe('PostgreSQL in the hands of several controllers', () => {
  it('is migrated once when five start on it at the same instant, time after time', async () => {
    for (let round = 0; round < 4; round += 1) {
      const empty = await freshDatabase();
      const stores = await Promise.all([1, 2, 3, 4, 5].map(() => createAuthorityStore({ url: empty, poolSize: 2 })));
      expect(await stores[2]!.readLease()).toMatchObject({ term: 0 });
      await Promise.all(stores.map((store) => store.close()));
    }
    const url = await freshDatabase();
    const again = await createAuthorityStore({ url });
    await again.ping();
    await again.close();
  });

  it('frees the lease row from a leader that stands still in mid-transaction', async () => {
    const url = await freshDatabase();
    const [one, two] = await Promise.all([1, 2].map(() => createAuthorityStore({ url, statementTimeoutMs: 500 })));
    const term = await lead(one!, A);
    const inside = gate();
    const goOn = gate();
    const stuck = one!.transact(term, A.id, async (tx) => {
      await tx.appendEvent(anEvent('late'));
      inside.open();
      await goOn.opened;
      await tx.appendEvent(anEvent('later'));
    });
    const refused = stuck.catch((error: unknown) => error);
    await inside.opened;
    const taken = await waitFor(
      'the lease is taken',
      async () => (await two!.acquireLease(await two!.readLease(), B)) ?? undefined,
      {
        timeoutMs: 10_000,
      },
    );
    expect(taken.term).toBe(term + 1);
    goOn.open();
    expect(await refused).toBeInstanceOf(StoreUnavailableError);
    expect(await two!.events(0, 9)).toEqual([]);
    await Promise.all([one!.close(), two!.close()]);
  });

  it('does not call a transaction committed whose failure was swallowed inside', async () => {
    const store = await createAuthorityStore({ url: await freshDatabase() });
    const term = await lead(store, A);
    const work = store.transact(term, A.id, async (tx) => {
      await tx.saveGroup(aGroup());
      await tx.openSaga(aSaga('x'.repeat(200))).catch(() => undefined);
    });
    await expect(work).rejects.toThrow('too long');
    expect(await store.groups()).toEqual([]);
    await store.close();
  });
});

/** `Promise.withResolvers` came after Node 20. */
function gate(): Readonly<{ opened: Promise<void>; open(): void }> {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
