import type pg from 'pg';
import {
  type AdoptionLog,
  type ClientReport,
  MAX_ADOPTIONS,
  checkReport,
  formatReport,
  parseReport,
} from '../adoption.js';

type Query = (sql: string, values: readonly unknown[]) => Promise<pg.QueryResult>;

const SWEEP_EVERY_REPORTS = 32;
const SWEEP_AT_MOST = 200;

/** Client reports as rows with an end, by the server's clock. Each reporter now and then deletes a few that are over. */
export class SqlAdoptions implements AdoptionLog {
  private readonly query: Query;
  private reports = 0;

  constructor(query: Query) {
    this.query = query;
  }

  async report(report: ClientReport, ttlMs: number): Promise<void> {
    checkReport(report, ttlMs);
    await this.query(
      `INSERT INTO pointsman_client (group_name, instance, expires_at, value)
       VALUES ($1, $2, now() + $3 * interval '1 second', $4)
       ON CONFLICT (group_name, instance) DO UPDATE SET expires_at = excluded.expires_at, value = excluded.value`,
      [report.group, report.instance, Math.ceil(ttlMs / 1_000), formatReport(report)],
    );
    if (++this.reports % SWEEP_EVERY_REPORTS === 0) await this.sweep();
  }

  async withdraw(group: string, instance: string): Promise<void> {
    await this.query('DELETE FROM pointsman_client WHERE group_name = $1 AND instance = $2', [group, instance]);
  }

  async adoptions(group: string): Promise<readonly ClientReport[]> {
    const found = await this.query(
      'SELECT value FROM pointsman_client WHERE group_name = $1 AND expires_at > now() ORDER BY instance LIMIT $2',
      [group, MAX_ADOPTIONS],
    );
    return (found.rows as { value: string }[]).flatMap((row) => parseReport(row.value) ?? []);
  }

  /** SKIP LOCKED: a thousand clients that sweep at once must not wait for each other. */
  private async sweep(): Promise<void> {
    await this.query(
      `DELETE FROM pointsman_client WHERE (group_name, instance) IN
         (SELECT group_name, instance FROM pointsman_client WHERE expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED)`,
      [SWEEP_AT_MOST],
    );
  }
}
