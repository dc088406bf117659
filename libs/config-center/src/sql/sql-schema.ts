/**
 * One row per group. `claimed_term` may be there before any pointer (then `epoch` is 0 and `value` null). Plain types
 * and names that PostgreSQL and MariaDB take alike. Whoever owns the schema's migrations runs this text.
 */
export const POINTER_TABLE_DDL = `CREATE TABLE IF NOT EXISTS pointsman_pointer (
  group_name varchar(200) NOT NULL PRIMARY KEY,
  epoch bigint NOT NULL DEFAULT 0,
  term bigint NOT NULL DEFAULT 0,
  claimed_term bigint NOT NULL DEFAULT 0,
  value text
)`;

/**
 * One row per living client of the wrapper. `expires_at` is by the server's clock; rows past it are not read, and deleted a
 * few at a time by those who report.
 */
export const CLIENT_TABLE_DDL = `CREATE TABLE IF NOT EXISTS pointsman_client (
  group_name varchar(200) NOT NULL,
  instance varchar(100) NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (group_name, instance)
)`;
