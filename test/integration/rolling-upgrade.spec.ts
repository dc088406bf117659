import 'reflect-metadata';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import type { ClusterGoal, Command, CommandBody } from '#failover';
import { type Lab, startLab, waitFor } from '#lab';
import { MIGRATIONS } from '../../apps/controller/src/persistence/migrations/index.js';
import { BaselineLink } from './baseline-link.js';
import { controllerFile, GROUP, LoneController } from './lone-controller.js';
import { breaksOlderOnes, schemaShape } from './schema-shape.js';
import { TestAgent, TestController } from './session-rig.js';

// docs/operations.md, "Upgrade": what makes it harmless that two versions run side by side for a while.
const until = (what: () => void): Promise<void> => vi.waitFor(what, { timeout: 8_000, interval: 20 });

describe('agent and controller, of which one speaks the wire of the baseline', () => {
  const opened: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0).toReversed()) await close();
  });

  const command = (id: string, body: CommandBody): Command => ({
    ...{ id, term: 3, epoch: 8, group: 'orders', deadlineMs: 2_000, body },
  });
  const fence: ClusterGoal = {
    ...{ subject: 'cluster', group: 'orders', cluster: 'a', state: 'fenced', epoch: 8, term: 3, topics: ['orders'] },
  };

  it('reports, goals, commands and goodbyes pass; what is newer is answered as unknown, not half understood', async () => {
    const controller = await TestController.start();
    opened.push(() => controller.close());
    controller.leadership.lead(3);
    const link = await BaselineLink.to(controller.port);
    opened.push(() => link.close());
    const agent = await TestAgent.start('a', [link.port]);
    opened.push(async () => {
      await agent.stop();
      agent.forget();
    });
    await until(() => expect(controller.vote('a', 'agent-a')).toBe('UP'));

    controller.gateway.setGoals(3, [fence]);
    await until(() =>
      expect(controller.gateway.goalStatus('orders/cluster/a')).toMatchObject({ observed: 'fenced', reached: true }),
    );
    const known = command('c1', { kind: 'canary', cluster: 'a', topic: 'orders', principal: 'agent' });
    expect(await controller.gateway.command('agent-a', known)).toMatchObject({ ok: true });
    const newer = command('c2', { kind: 'list_transactions', cluster: 'a', topics: ['orders'] });
    expect(await controller.gateway.command('agent-a', newer)).toMatchObject({ ok: false, code: 'unsupported' });
    expect(agent.hands.ran.map((c) => c.id)).toEqual(['c1']);
    expect(link.shortened).toBeGreaterThan(0);

    await agent.stop();
    await until(() => {
      const [own] = controller.snapshots.build('orders', null).observers;
      expect(own?.goodbyeAgeMs).toBeGreaterThanOrEqual(0);
    });
  });
});

describe('the schema of the store', () => {
  let lab: Lab;
  let client: pg.Client;
  beforeAll(async () => {
    lab = await startLab({ clusters: {}, connect: false });
    client = new pg.Client({ connectionString: await lab.postgresUrl('c') });
    await client.connect();
  });
  afterAll(async () => {
    await client?.end();
    await lab?.close();
  });

  async function migrate(migrations: readonly (new () => MigrationInterface)[]): Promise<void> {
    const source = new DataSource({
      ...{ type: 'postgres', url: await lab.postgresUrl('c'), migrations: [...migrations], installExtensions: false },
      ...{ migrationsTableName: 'pointsman_migrations', migrationsTransactionMode: 'each' },
    });
    await source.initialize();
    try {
      await source.runMigrations();
    } finally {
      await source.destroy();
    }
  }

  it('is only added to, by every migration after the first', async () => {
    await migrate(MIGRATIONS.slice(0, 1));
    for (let n = 2; n <= MIGRATIONS.length; n += 1) {
      const before = await schemaShape(client);
      await migrate(MIGRATIONS.slice(0, n));
      expect(breaksOlderOnes(before, await schemaShape(client)), `migration ${n}`).toEqual([]);
    }
  });

  it.each([
    ['DROP COLUMN advertise', /pointsman_lease\.advertise is gone/],
    ['RENAME COLUMN advertise TO address', /pointsman_lease\.advertise is gone/],
    ['ALTER COLUMN holder SET NOT NULL', /pointsman_lease\.holder was .* null NO/],
    ['ALTER COLUMN holder TYPE varchar(10)', /holder was character varying\(200\), is character varying\(10\)/],
    ['ADD COLUMN room varchar(10) NOT NULL', /pointsman_lease\.room must be filled/],
    ['ADD CONSTRAINT one_holder UNIQUE (holder)', /one_holder.* refuses what was allowed/],
    ['ADD CONSTRAINT low CHECK (term < 100)', /CHECK .* refuses what was allowed/],
  ])('%s would be noticed', async (change, said) => {
    await client.query('BEGIN');
    try {
      const before = await schemaShape(client);
      await client.query('DELETE FROM pointsman_lease'); // so that no row stands in the way of the change
      await client.query(`ALTER TABLE pointsman_lease ${change}`);
      expect(breaksOlderOnes(before, await schemaShape(client)).join('\n')).toMatch(said);
    } finally {
      await client.query('ROLLBACK');
    }
  });

  it('of the next version is taken over under a leading controller of this one, which goes on, and starts on it again', async () => {
    const dir = join(lab.dir, 'ctl');
    const controller = await LoneController.start(lab, dir, await controllerFile(lab, dir));
    const leading = async () => {
      const { rows } = await client.query<{ term: string; renewals: string; holder: string | null }>(
        'SELECT term, renewals, holder FROM pointsman_lease',
      );
      return rows[0]?.holder === 'ctl-c' ? { term: rows[0].term, renewals: Number(rows[0].renewals) } : undefined;
    };
    const before = await controller.until('it leads', leading);

    await migrate([...MIGRATIONS, NextVersion1999000000000]);
    const after = await controller.until('it renews on', async () => {
      const now = await leading();
      return now !== undefined && now.renewals >= before.renewals + 3 ? now : undefined;
    });
    expect(after.term).toBe(before.term);
    const epoch = await controller.until('the group is there', async () => {
      const seen = await controller.api.get<{ epoch: number }>(`/v1/groups/${GROUP}`);
      return seen.epoch > 0 ? seen.epoch : undefined;
    });
    const pause = { owner: 'ann', reason: 'upgrade', expiresIn: '1h' };
    expect(await controller.api.post(`/v1/groups/${GROUP}/pause`, pause, epoch)).toMatchObject({ status: 202 });

    const from = controller.process.lines.length; // and back again: the newer one was taken away
    await lab.stop({ process: 'ctl-c' });
    await lab.start({ process: 'ctl-c' });
    await controller.serves(from);
    await waitFor(
      'the older version leads again, on the newer schema',
      async () => Number((await leading())?.term ?? 0) > Number(before.term) || undefined,
      { timeoutMs: 30_000 },
    );
    expect(await controller.api.get('/v1/audit/verify')).toMatchObject({ ok: true });
  });
});

/** What a version to come may do: every kind of change that only adds, on the table that is written most too. */
class NextVersion1999000000000 implements MigrationInterface {
  readonly name = 'NextVersion1999000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE pointsman_lease ADD COLUMN room varchar(40)');
    await runner.query('ALTER TABLE pointsman_group ADD COLUMN colour integer NOT NULL DEFAULT 1');
    await runner.query('CREATE INDEX pointsman_audit_by_actor ON pointsman_audit (actor)');
    await runner.query('CREATE TABLE pointsman_note (id varchar(64) NOT NULL PRIMARY KEY, body text NOT NULL)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE pointsman_note');
  }
}
