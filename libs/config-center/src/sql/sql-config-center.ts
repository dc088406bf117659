import pg from 'pg';
import type { ClientReport } from '../adoption.js';
import { ConfigCenterError, messageOf } from '../errors.js';
import { checkPublication, checkTerm, explainRefusal } from '../guard.js';
import type { PublishGuard } from '../guard.js';
import { formatPointer, parsePointerText } from '../pointer-schema.js';
import type { ConfigCenter, Pointer, PublishResult } from '../port.js';
import { createWatchFilter, jittered, pause } from '../watch-filter.js';
import { SqlAdoptions } from './sql-adoptions.js';
import { CLIENT_TABLE_DDL, POINTER_TABLE_DDL } from './sql-schema.js';

export type SqlConfigCenterOptions = Readonly<{
  url: string; // postgres://user:password@host:port/database
  pollIntervalMs?: number; // of watch, ±20 % (default 250)
  deadlineMs?: number; // of every statement, connecting included twice at most (default 2000)
  maxConnections?: number; // default 4
}>;

/** Group names never start with "!" (guard.ts), so this row is nobody's pointer. */
const CANARY_ROW = '!canary';
const MAX_ROUNDS = 8;
const UNIQUE_VIOLATION = '23505';

type Row = Readonly<{ epoch: string; claimed_term: string; value: string | null }>;

/**
 * The config center in one SQL table. Each write is one guarded statement, so it needs no transaction, no advisory
 * lock and no LISTEN; readers poll. What it does not give: an acknowledged pointer lives exactly as long as the
 * server's commits do (asynchronous standby: a fail-over of the store may take an epoch back, see WENT_BACK).
 */
export class SqlConfigCenter implements ConfigCenter {
  private readonly pool: pg.Pool;
  private readonly pollIntervalMs: number;
  private readonly watches = new Set<() => Promise<void>>();
  private readonly clients = new SqlAdoptions((sql, values) => this.query(sql, values));

  constructor(options: SqlConfigCenterOptions) {
    const deadlineMs = options.deadlineMs ?? 2_000;
    this.pollIntervalMs = options.pollIntervalMs ?? 250;
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.maxConnections ?? 4,
      connectionTimeoutMillis: deadlineMs,
      query_timeout: deadlineMs,
      statement_timeout: deadlineMs,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      application_name: 'pointsman-config-center',
    });
    // An idle connection that the server ends raises 'error' here; without a listener the process would die. The
    // loss is told by the next statement that needs a connection.
    this.pool.on('error', () => undefined);
  }

  async prepare(): Promise<void> {
    await this.create(POINTER_TABLE_DDL, 'pointsman_pointer');
    await this.create(CLIENT_TABLE_DDL, 'pointsman_client');
  }

  report(report: ClientReport, ttlMs: number): Promise<void> {
    return this.clients.report(report, ttlMs);
  }

  withdraw(group: string, instance: string): Promise<void> {
    return this.clients.withdraw(group, instance);
  }

  adoptions(group: string): Promise<readonly ClientReport[]> {
    return this.clients.adoptions(group);
  }

  async read(group: string): Promise<Pointer | null> {
    return (await this.state(group)).current;
  }

  async claimedTerm(group: string): Promise<number> {
    const row = await this.row(group);
    return row === null ? 0 : Number(row.claimed_term);
  }

  async claim(group: string, term: number): Promise<boolean> {
    checkTerm(term);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const raised = await this.query(
        'UPDATE pointsman_pointer SET claimed_term = $2 WHERE group_name = $1 AND claimed_term <= $2',
        [group, term],
      );
      if (raised.rowCount === 1) return true;
      const row = await this.row(group);
      if (row !== null && Number(row.claimed_term) > term) return false;
      if (row !== null) continue; // it came into being between the two statements
      if (await this.insert('INSERT INTO pointsman_pointer (group_name, claimed_term) VALUES ($1, $2)', [group, term]))
        return true;
    }
    throw this.contended(group);
  }

  async publish(pointer: Pointer, guard: PublishGuard): Promise<PublishResult> {
    checkPublication(pointer, guard);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const won = await this.query(
        `UPDATE pointsman_pointer SET epoch = $2, term = $3, value = $4
         WHERE group_name = $1 AND epoch = $5 AND claimed_term = $6`,
        [pointer.group, pointer.epoch, pointer.term, formatPointer(pointer), guard.expectedEpoch, guard.term],
      );
      if (won.rowCount === 1) return { ok: true };
      const refusal = explainRefusal(pointer, guard, await this.state(pointer.group));
      if (refusal !== null) return refusal;
    }
    throw this.contended(pointer.group);
  }

  async canary(): Promise<void> {
    const countNow = async () => Number((await this.row(CANARY_ROW))?.epoch ?? -1);
    const before = await countNow();
    const put = await this.query('UPDATE pointsman_pointer SET epoch = epoch + 1 WHERE group_name = $1', [CANARY_ROW]);
    if (put.rowCount === 0) await this.insert('INSERT INTO pointsman_pointer (group_name) VALUES ($1)', [CANARY_ROW]);
    // Compared by a count that rises: another controller's canary may have come after ours.
    if ((await countNow()) > before) return;
    throw new ConfigCenterError(
      'CANARY_LOST',
      'wrote a canary to pointsman_pointer and could not read it back',
      'does the URL name a read replica or a pooler that sends reads elsewhere?',
    );
  }

  watch(group: string, onPointer: (p: Pointer) => void, onError?: (e: Error) => void): () => Promise<void> {
    const abort = new AbortController();
    const filter = createWatchFilter(onPointer, onError);
    const loop = (async () => {
      while (!abort.signal.aborted) {
        let seen: Pointer | null = null;
        let failure: unknown = null;
        try {
          seen = await this.read(group);
        } catch (e) {
          failure = e;
        }
        if (abort.signal.aborted) return;
        if (failure === null) filter.seen(seen);
        else filter.failed(failure);
        await pause(jittered(this.pollIntervalMs), abort.signal);
      }
    })();
    const stop = async () => {
      abort.abort();
      this.watches.delete(stop);
      await loop;
    };
    this.watches.add(stop);
    return stop;
  }

  async close(): Promise<void> {
    await Promise.all([...this.watches].map((stop) => stop()));
    if (!this.pool.ended) await this.pool.end();
  }

  private async state(group: string): Promise<{ current: Pointer | null; claimedTerm: number }> {
    const row = await this.row(group);
    if (row === null) return { current: null, claimedTerm: 0 };
    const current = row.value === null ? null : parsePointerText(row.value, `pointsman_pointer, group ${group}`);
    if (current !== null && (current.epoch !== Number(row.epoch) || current.group !== group)) {
      throw new ConfigCenterError(
        'POINTER_INVALID',
        `pointsman_pointer, group ${group}: column epoch ${row.epoch}, value says group ${current.group} epoch ${current.epoch}`,
        'somebody wrote to the row by hand: restore the column or the value',
      );
    }
    return { current, claimedTerm: Number(row.claimed_term) };
  }

  private async row(group: string): Promise<Row | null> {
    const result = await this.query('SELECT epoch, claimed_term, value FROM pointsman_pointer WHERE group_name = $1', [
      group,
    ]);
    return (result.rows[0] as Row | undefined) ?? null;
  }

  private async create(ddl: string, table: string): Promise<void> {
    try {
      await this.query(ddl, []);
    } catch (e) {
      // Two starting at once: IF NOT EXISTS does not save the loser from a duplicate in the catalogue.
      const there = await this.query(`SELECT 1 FROM ${table} WHERE 1 = 0`, []).then(
        () => true,
        () => false,
      );
      if (!there) throw e;
    }
  }

  /** False if the row was there already. */
  private async insert(sql: string, values: readonly unknown[]): Promise<boolean> {
    try {
      await this.query(sql, values);
      return true;
    } catch (e) {
      if (sqlState(e) === UNIQUE_VIOLATION) return false;
      throw e;
    }
  }

  private async query(sql: string, values: readonly unknown[]): Promise<pg.QueryResult> {
    try {
      return await this.pool.query(sql, [...values]);
    } catch (cause) {
      throw describeSqlError(cause);
    }
  }

  private contended(group: string): ConfigCenterError {
    return new ConfigCenterError(
      'CENTER_CONTENDED',
      `group ${group}: the row changed ${MAX_ROUNDS} times while it was being written`,
      'try again; several writers at once are expected only while leadership changes',
    );
  }
}

/** The SQLSTATE of the server's answer, also where we wrapped it. */
function sqlState(e: unknown): string | null {
  if (e instanceof ConfigCenterError) return sqlState(e.cause);
  if (e instanceof pg.DatabaseError) return e.code ?? null;
  return null;
}

function describeSqlError(cause: unknown): ConfigCenterError {
  const state = sqlState(cause);
  const text = messageOf(cause);
  if (state === '42P01')
    return new ConfigCenterError('CENTER_REFUSED', text, 'call prepare() once with rights to create tables', cause);
  if (state === '25006')
    return new ConfigCenterError(
      'CENTER_REFUSED',
      text,
      'the URL leads to a read-only standby: name the primary',
      cause,
    );
  // 08: connection, 53: resources, 57: shutdown and cancel, 40: conflict. All pass by themselves.
  if (state === null || /^(08|53|57|40)/.test(state))
    return new ConfigCenterError(
      'CENTER_UNREACHABLE',
      `SQL config center: ${text}`,
      'it is retried; check the server and the network',
      cause,
    );
  return new ConfigCenterError(
    'CENTER_REFUSED',
    `SQL config center (${state}): ${text}`,
    'check the rights of the database user',
    cause,
  );
}
