import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Retention finds old answers without reading all of them. */
export class AnswersByAge1795450000000 implements MigrationInterface {
  readonly name = 'AnswersByAge1795450000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX pointsman_answer_by_age ON pointsman_answer (answered_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX pointsman_answer_by_age`);
  }
}
