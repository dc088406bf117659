import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The first schema. Only types and clauses that PostgreSQL and MariaDB take alike; long text is the one word that differs.
 * `open_group` is unique and nullable in place of a partial unique index (I19).
 */
export class CreateAuthorityStore1795000000000 implements MigrationInterface {
  readonly name = 'CreateAuthorityStore1795000000000';

  async up(runner: QueryRunner): Promise<void> {
    const longText = runner.dataSource.options.type === 'postgres' ? 'text' : 'longtext';
    for (const statement of [...leadership(), ...sagas(longText), ...records(longText), ...outbox(longText)]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE ${table}`);
  }
}

const TABLES = [
  'pointsman_answer',
  'pointsman_alert_delivery',
  'pointsman_alert',
  'pointsman_audit',
  'pointsman_event',
  'pointsman_ledger',
  'pointsman_goal',
  'pointsman_saga_journal',
  'pointsman_saga',
  'pointsman_group',
  'pointsman_controller',
  'pointsman_lease',
];

const leadership = (): readonly string[] => [
  `CREATE TABLE pointsman_lease (
    id smallint NOT NULL PRIMARY KEY,
    term bigint NOT NULL,
    holder varchar(200),
    advertise varchar(500),
    renewals bigint NOT NULL,
    guard_count bigint NOT NULL
  )`,
  `INSERT INTO pointsman_lease (id, term, holder, advertise, renewals, guard_count) VALUES (1, 0, NULL, NULL, 0, 0)`,
  `CREATE TABLE pointsman_controller (
    id varchar(200) NOT NULL PRIMARY KEY,
    idc varchar(200) NOT NULL,
    advertise varchar(500) NOT NULL,
    policy_digest varchar(200) NOT NULL,
    beats bigint NOT NULL,
    version varchar(200) NOT NULL
  )`,
];

const sagas = (longText: string): readonly string[] => [
  `CREATE TABLE pointsman_group (
    name varchar(200) NOT NULL PRIMARY KEY,
    active_cluster varchar(200) NOT NULL,
    epoch bigint NOT NULL,
    reserved_epoch bigint NOT NULL,
    detail ${longText} NOT NULL
  )`,
  `CREATE TABLE pointsman_saga (
    id varchar(64) NOT NULL PRIMARY KEY,
    kind varchar(40) NOT NULL,
    group_name varchar(200) NOT NULL,
    open_group varchar(200),
    source_cluster varchar(200) NOT NULL,
    target_cluster varchar(200) NOT NULL,
    matrix_row integer NOT NULL,
    trigger_kind varchar(40) NOT NULL,
    from_epoch bigint NOT NULL,
    epoch bigint NOT NULL,
    term bigint NOT NULL,
    opened_at varchar(40) NOT NULL,
    closed_at varchar(40),
    outcome varchar(40),
    CONSTRAINT pointsman_saga_open_group UNIQUE (open_group)
  )`,
  `CREATE INDEX pointsman_saga_by_group ON pointsman_saga (group_name, opened_at)`,
  `CREATE TABLE pointsman_saga_journal (
    saga_id varchar(64) NOT NULL,
    seq integer NOT NULL,
    step varchar(60) NOT NULL,
    direction varchar(20) NOT NULL,
    event_kind varchar(20) NOT NULL,
    term bigint NOT NULL,
    happened_at varchar(40) NOT NULL,
    deadline_ms bigint,
    evidence ${longText} NOT NULL,
    PRIMARY KEY (saga_id, seq)
  )`,
  `CREATE TABLE pointsman_goal (goal_key varchar(700) NOT NULL PRIMARY KEY, body ${longText} NOT NULL)`,
];

const records = (longText: string): readonly string[] => [
  `CREATE TABLE pointsman_ledger (
    group_name varchar(200) NOT NULL,
    epoch bigint NOT NULL,
    topic varchar(249) NOT NULL,
    topic_partition integer NOT NULL,
    from_cluster varchar(200) NOT NULL,
    to_cluster varchar(200) NOT NULL,
    s bigint NOT NULL,
    n bigint,
    source_end bigint,
    source_end_age_ms bigint,
    PRIMARY KEY (group_name, epoch, topic, topic_partition)
  )`,
  `CREATE TABLE pointsman_event (
    seq bigint NOT NULL PRIMARY KEY,
    happened_at varchar(40) NOT NULL,
    group_name varchar(200),
    event_type varchar(40) NOT NULL,
    matrix_row integer,
    summary ${longText} NOT NULL,
    detail ${longText} NOT NULL,
    term bigint NOT NULL,
    epoch bigint
  )`,
  `CREATE INDEX pointsman_event_by_group ON pointsman_event (group_name, seq)`,
  `CREATE TABLE pointsman_audit (
    seq bigint NOT NULL PRIMARY KEY,
    happened_at varchar(40) NOT NULL,
    actor ${longText} NOT NULL,
    action ${longText} NOT NULL,
    group_name varchar(200),
    reason ${longText} NOT NULL,
    detail ${longText} NOT NULL,
    term bigint NOT NULL,
    epoch bigint,
    previous_hash varchar(64) NOT NULL,
    hash varchar(64) NOT NULL
  )`,
];

const outbox = (longText: string): readonly string[] => [
  `CREATE TABLE pointsman_alert (
    id varchar(200) NOT NULL PRIMARY KEY,
    seq bigint NOT NULL,
    body ${longText} NOT NULL,
    settled_at varchar(40),
    CONSTRAINT pointsman_alert_seq UNIQUE (seq)
  )`,
  `CREATE INDEX pointsman_alert_pending ON pointsman_alert (settled_at, seq)`,
  `CREATE TABLE pointsman_alert_delivery (
    alert_id varchar(200) NOT NULL,
    receiver varchar(200) NOT NULL,
    attempts integer NOT NULL,
    attempted_at varchar(40) NOT NULL,
    delivered_at varchar(40),
    last_error ${longText},
    PRIMARY KEY (alert_id, receiver)
  )`,
  `CREATE TABLE pointsman_answer (
    answer_key varchar(500) NOT NULL PRIMARY KEY,
    body_hash varchar(128) NOT NULL,
    http_status integer NOT NULL,
    body ${longText} NOT NULL,
    answered_at varchar(40) NOT NULL
  )`,
];
