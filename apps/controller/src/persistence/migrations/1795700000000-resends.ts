import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who looked at an alert before it was sent again cannot settle it: it is settled under the count that was read. */
export class Resends1795700000000 implements MigrationInterface {
  readonly name = 'Resends1795700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE pointsman_alert ADD COLUMN resends integer NOT NULL DEFAULT 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE pointsman_alert DROP COLUMN resends');
  }
}
