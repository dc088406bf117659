import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What holds for all groups at once: the pause of everything. */
export class Fleet1795500000000 implements MigrationInterface {
  readonly name = 'Fleet1795500000000';

  async up(runner: QueryRunner): Promise<void> {
    const longText = runner.dataSource.options.type === 'postgres' ? 'text' : 'longtext';
    await runner.query(`CREATE TABLE pointsman_fleet (id smallint NOT NULL PRIMARY KEY, detail ${longText} NOT NULL)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE pointsman_fleet`);
  }
}
