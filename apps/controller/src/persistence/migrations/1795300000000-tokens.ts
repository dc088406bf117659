import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Bearer tokens with a role and an end, by their hash. */
export class Tokens1795300000000 implements MigrationInterface {
  readonly name = 'Tokens1795300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE pointsman_token (
      id varchar(64) NOT NULL PRIMARY KEY,
      name varchar(200) NOT NULL,
      token_role varchar(20) NOT NULL,
      token_hash varchar(64) NOT NULL,
      created_at varchar(40) NOT NULL,
      created_by varchar(300) NOT NULL,
      expires_at varchar(40) NOT NULL,
      revoked_at varchar(40),
      CONSTRAINT pointsman_token_hash UNIQUE (token_hash)
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE pointsman_token`);
  }
}
