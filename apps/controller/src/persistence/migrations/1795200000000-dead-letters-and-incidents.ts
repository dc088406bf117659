import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Deliveries that were given up on can be listed and sent again; the story of each incident survives its leader. */
export class DeadLettersAndIncidents1795200000000 implements MigrationInterface {
  readonly name = 'DeadLettersAndIncidents1795200000000';

  async up(runner: QueryRunner): Promise<void> {
    const longText = runner.dataSource.options.type === 'postgres' ? 'text' : 'longtext';
    await runner.query(`ALTER TABLE pointsman_alert_delivery ADD COLUMN dead_at varchar(40)`);
    await runner.query(`ALTER TABLE pointsman_alert_delivery ADD COLUMN delivery_round integer NOT NULL DEFAULT 1`);
    await runner.query(`CREATE INDEX pointsman_alert_delivery_dead ON pointsman_alert_delivery (dead_at)`);
    await runner.query(`CREATE TABLE pointsman_incident (
      incident varchar(300) NOT NULL PRIMARY KEY,
      group_name varchar(200) NOT NULL,
      opened_at varchar(40) NOT NULL,
      resolved_at varchar(40),
      body ${longText} NOT NULL
    )`);
    await runner.query(`CREATE INDEX pointsman_incident_open ON pointsman_incident (resolved_at, group_name)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE pointsman_incident`);
    await runner.query(`DROP INDEX pointsman_alert_delivery_dead`);
    await runner.query(`ALTER TABLE pointsman_alert_delivery DROP COLUMN delivery_round`);
    await runner.query(`ALTER TABLE pointsman_alert_delivery DROP COLUMN dead_at`);
  }
}
