import pg from 'pg';
import type { Goal, JournalEntry } from '#failover';
import { waitFor } from '#lab';

export type SeenEntry = Pick<JournalEntry, 'seq' | 'step' | 'direction' | 'event' | 'term' | 'at'>;
export type SeenSaga = Readonly<{
  id: string;
  row: number;
  epoch: number;
  outcome: string | null;
  journal: readonly SeenEntry[];
}>;
export type SeenLease = Readonly<{ term: number; holder: string | null }>;

const POLL_MS = 5;

/**
 * A look into the store past every controller: what really was written, and early enough to interfere between two
 * commits of a saga.
 */
export class StoreWindow {
  private constructor(private readonly pool: pg.Pool) {}

  static open(url: string): StoreWindow {
    const pool = new pg.Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 2_000, query_timeout: 5_000 });
    pool.on('error', () => undefined); // told by the next query
    return new StoreWindow(pool);
  }

  async lease(): Promise<SeenLease> {
    const [row] = await this.rows<{ term: string; holder: string | null }>(
      'SELECT term, holder FROM pointsman_lease WHERE id = 1',
    );
    if (row === undefined) throw new Error('the store has no lease row');
    return { term: Number(row.term), holder: row.holder };
  }

  /** Every saga there ever was, oldest first. */
  async sagas(): Promise<readonly SeenSaga[]> {
    const sagas = await this.rows<{ id: string; matrix_row: number; epoch: string; outcome: string | null }>(
      'SELECT id, matrix_row, epoch, outcome FROM pointsman_saga ORDER BY opened_at',
    );
    return await Promise.all(
      sagas.map(async (s) => ({
        id: s.id,
        row: s.matrix_row,
        epoch: Number(s.epoch),
        outcome: s.outcome,
        journal: await this.journal(s.id),
      })),
    );
  }

  async journal(saga: string): Promise<readonly SeenEntry[]> {
    const rows = await this.rows<{
      seq: number;
      step: JournalEntry['step'];
      direction: JournalEntry['direction'];
      event_kind: JournalEntry['event'];
      term: string;
      happened_at: string;
    }>(
      'SELECT seq, step, direction, event_kind, term, happened_at FROM pointsman_saga_journal WHERE saga_id = $1 ORDER BY seq',
      [saga],
    );
    return rows.map((r) => ({
      seq: r.seq,
      step: r.step,
      direction: r.direction,
      event: r.event_kind,
      term: Number(r.term),
      at: r.happened_at,
    }));
  }

  async goals(): Promise<readonly Goal[]> {
    const rows = await this.rows<{ body: string }>('SELECT body FROM pointsman_goal ORDER BY goal_key');
    return rows.map((r) => JSON.parse(r.body) as Goal);
  }

  async ledger(): Promise<readonly Readonly<{ epoch: number; topic: string; partition: number }>[]> {
    const rows = await this.rows<{ epoch: string; topic: string; topic_partition: number }>(
      'SELECT epoch, topic, topic_partition FROM pointsman_ledger ORDER BY epoch, topic, topic_partition',
    );
    return rows.map((r) => ({ epoch: Number(r.epoch), topic: r.topic, partition: r.topic_partition }));
  }

  /** The audit log, oldest first. */
  async audit(): Promise<readonly Readonly<{ seq: number; term: number; action: string }>[]> {
    const rows = await this.rows<{ seq: string; term: string; action: string }>(
      'SELECT seq, term, action FROM pointsman_audit ORDER BY seq',
    );
    return rows.map((r) => ({ seq: Number(r.seq), term: Number(r.term), action: r.action }));
  }

  /**
   * Writes into the first audit row of this action, past every controller. Resolves to the row's number; `mend` takes the
   * forgery back.
   */
  async forgeAudit(action: string): Promise<Readonly<{ seq: number; mend: () => Promise<void> }>> {
    const [row] = await this.rows<{ seq: string; actor: string }>(
      'SELECT seq, actor FROM pointsman_audit WHERE action = $1 ORDER BY seq LIMIT 1',
      [action],
    );
    if (row === undefined) throw new Error(`nobody did ${action}`);
    const write = async (actor: string): Promise<void> => {
      await this.rows('UPDATE pointsman_audit SET actor = $2 WHERE seq = $1', [row.seq, actor]);
    };
    await write('operator:nobody');
    return { seq: Number(row.seq), mend: () => write(row.actor) };
  }

  /**
   * Holds the pointer's row of the SQL config center while `work` runs, so that a publication waits in the server.
   * `publicationWaits(true)` waits until one does, `publicationWaits(false)` until none does any more.
   */
  async holdPointer(
    work: (publicationWaits: (waits: boolean, timeoutMs: number) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT epoch FROM pointsman_pointer FOR UPDATE');
      await work(async (waits, timeoutMs) => {
        await waitFor(
          waits ? 'a publication waits for the row' : 'no publication waits any more',
          async () => ((await this.waitingPublications()) > 0 === waits ? true : undefined),
          { timeoutMs, pollMs: POLL_MS },
        );
      });
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  }

  private async waitingPublications(): Promise<number> {
    const [row] = await this.rows<{ count: string }>(
      `SELECT count(*) FROM pg_stat_activity
       WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE pointsman_pointer SET epoch = $2%'`,
    );
    return Number(row?.count ?? 0);
  }

  /** Waits for an entry of the only open saga; fails at once if a saga closes meanwhile. Looks every 5 ms. */
  async waitForEntry(
    what: Readonly<{ step: SeenEntry['step']; event: SeenEntry['event']; direction?: SeenEntry['direction'] }>,
    timeoutMs: number,
  ): Promise<SeenSaga> {
    return await waitFor(
      `the saga's journal says ${what.step} ${what.event}`,
      async () => {
        const [row] = await this.rows<{ saga_id: string }>(
          `SELECT j.saga_id FROM pointsman_saga_journal j JOIN pointsman_saga s ON s.id = j.saga_id
           WHERE s.outcome IS NULL AND j.step = $1 AND j.event_kind = $2 AND j.direction = $3`,
          [what.step, what.event, what.direction ?? 'do'],
        );
        if (row === undefined) return undefined;
        return (await this.sagas()).find((s) => s.id === row.saga_id);
      },
      { timeoutMs, pollMs: POLL_MS },
    );
  }

  async waitForOutcome(saga: string, timeoutMs: number): Promise<string> {
    return await waitFor(
      `saga ${saga} is closed`,
      async () => (await this.sagas()).find((s) => s.id === saga)?.outcome ?? undefined,
      { timeoutMs, pollMs: 50 },
    );
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async rows<T extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.pool.query<T>(sql, [...values])).rows;
  }
}
