import type { MigrationInterface, QueryRunner } from 'typeorm';

const AUDIT = 'pointsman_audit_by_group';
/** Below that an index is made in milliseconds. */
const FEW_ROWS = 10_000;

/**
 * The audit is never pruned, and both are asked for one group. Not in a transaction: an index of a long audit is built beside
 * the writes of the leader, which has the lease row locked while it waits for one. Done twice at once or broken off, it is done
 * again; that `pointsman_migrations` then may name it twice says nothing new.
 */
export class ByGroup1795600000000 implements MigrationInterface {
  readonly name = 'ByGroup1795600000000';
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE INDEX IF NOT EXISTS pointsman_incident_by_group ON pointsman_incident (group_name, opened_at)',
    );
    const postgres = runner.dataSource.options.type === 'postgres';
    await (postgres && (await isLong(runner)) ? buildBeside(runner) : build(runner));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX ${AUDIT}`);
    await runner.query('DROP INDEX pointsman_incident_by_group');
  }
}

/** Its numbers begin at 1 and have no holes. */
async function isLong(runner: QueryRunner): Promise<boolean> {
  const [last] = (await runner.query('SELECT max(seq) AS seq FROM pointsman_audit')) as readonly {
    seq: string | null;
  }[];
  return Number(last?.seq ?? 0) > FEW_ROWS;
}

const build = async (runner: QueryRunner): Promise<void> => {
  await runner.query(`CREATE INDEX IF NOT EXISTS ${AUDIT} ON pointsman_audit (group_name, seq)`);
};

/** Waits, without holding up anybody, for whoever reads at the moment, a backup for one: no lock time-out is for that. */
async function buildBeside(runner: QueryRunner): Promise<void> {
  const [known] = (await runner.query(
    `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('${AUDIT}')`,
  )) as readonly { valid: boolean }[];
  if (known?.valid === true) return;
  if (known !== undefined) await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${AUDIT}`); // left by one that was broken off
  await runner.query('SET lock_timeout = 0');
  try {
    await runner.query(`CREATE INDEX CONCURRENTLY ${AUDIT} ON pointsman_audit (group_name, seq)`);
  } finally {
    await runner.query('RESET lock_timeout');
  }
}
