import type { JournalEntry, Json, SagaRecord } from '#failover';
import { rfc3339 } from '#platform';
import {
  JournalMovedError,
  LostLeadershipError,
  StoreUnavailableError,
  type AuthorityStore,
  type AuthorityTx,
} from '../persistence/authority-store.port.js';
import type { SagaTime } from './saga-time.js';

export type NewEntry = Omit<JournalEntry, 'seq'>;

export type Commit = Readonly<{
  entries: (tx: AuthorityTx) => Promise<readonly NewEntry[]>;
  also?: readonly ((tx: AuthorityTx) => Promise<void>)[];
}>;

const STORE_ATTEMPTS = 600;

/**
 * The saga's record in the store. Every commit is one transaction guarded by the term: journal, event and audit rows and
 * whatever else belongs to the same instant. A commit whose answer was lost is looked up before it is tried again, so
 * it is never written twice.
 */
export class SagaJournal {
  constructor(
    private readonly store: AuthorityStore,
    private readonly time: SagaTime,
    private readonly retryMs: number,
    private readonly term: number,
    private readonly holder: string,
    private readonly leading: AbortSignal,
  ) {}

  /** Returns the record with the new entries. Throws {@link LostLeadershipError} when this leader may not write any more. */
  async commit(saga: SagaRecord, commit: Commit): Promise<SagaRecord> {
    for (let attempt = 1; attempt <= STORE_ATTEMPTS; attempt++) {
      if (this.leading.aborted) throw new LostLeadershipError(this.term);
      try {
        return await this.write(saga, commit);
      } catch (error) {
        // Only a store that gave no answer is asked again: what it refused, it will refuse for ever. The journal moved only if
        // a commit of before, whose answer was lost, arrived late: nobody else writes it under this term.
        const passing = error instanceof StoreUnavailableError || error instanceof JournalMovedError;
        if (!passing || attempt === STORE_ATTEMPTS) throw error;
        const landed = await this.landed(saga);
        if (landed !== null) return landed;
      }
      await this.pause();
    }
    throw new LostLeadershipError(this.term);
  }

  private async write(saga: SagaRecord, commit: Commit): Promise<SagaRecord> {
    const entries = await this.store.transact(this.term, this.holder, async (tx) => {
      const written = await commit.entries(tx);
      await tx.appendJournal(saga.id, written, saga.journal.length);
      for (const also of commit.also ?? []) await also(tx);
      await this.record(tx, saga, written);
      return written;
    });
    return withEntries(saga, entries);
  }

  /** The record as stored, if the lost commit did arrive. A store that does not answer says nothing: try again. */
  private async landed(saga: SagaRecord): Promise<SagaRecord | null> {
    try {
      const stored = await this.store.saga(saga.id);
      return stored !== null && stored.journal.length > saga.journal.length ? stored : null;
    } catch {
      return null; // the next attempt's own error is the one that is reported
    }
  }

  private async pause(): Promise<void> {
    try {
      await this.time.sleep(this.retryMs, this.leading);
    } catch (cause) {
      if (this.leading.aborted) throw new LostLeadershipError(this.term);
      throw cause;
    }
  }

  private async record(tx: AuthorityTx, saga: SagaRecord, entries: readonly NewEntry[]): Promise<void> {
    const at = rfc3339(this.time.wallMs());
    const summary = entries.map(describeEntry).join('; ');
    const incident = textOf(evidenceOf(saga, 'open'), 'incident');
    const detail: Json = {
      saga: saga.id,
      incident,
      entries: entries.map(({ at: _at, term: _term, ...entry }) => entry),
    };
    await tx.appendEvent({
      at,
      group: saga.group,
      type: 'saga',
      row: saga.row,
      summary: `${saga.kind} ${saga.source} → ${saga.target}: ${summary}`,
      detail,
      term: this.term,
      epoch: saga.epoch,
    });
    await tx.appendAudit({
      at,
      actor: `controller:${this.holder}`,
      action: `saga ${entries.map((e) => `${e.direction} ${e.step} ${e.event}`).join(', ')}`,
      group: saga.group,
      reason: summary,
      detail,
      term: this.term,
      epoch: saga.epoch,
    });
  }
}

export const withEntries = (saga: SagaRecord, entries: readonly NewEntry[]): SagaRecord => ({
  ...saga,
  journal: [...saga.journal, ...entries.map((entry, i) => ({ ...entry, seq: saga.journal.length + i + 1 }))],
});

function describeEntry(entry: NewEntry): string {
  const step = entry.direction === 'do' ? entry.step : `take back ${entry.step}`;
  if (entry.event === 'intent') return `${step} begins`;
  const summary = textOf(entry.evidence, entry.event === 'done' ? 'summary' : 'reason');
  return `${step} ${entry.event}${summary === null ? '' : ` (${summary})`}`;
}

export function textOf(evidence: Json, field: string): string | null {
  const value = valueOf(evidence, field);
  return typeof value === 'string' ? value : null;
}

/** A field of an evidence object; null when it is not there. */
export function valueOf(evidence: Json, field: string): Json {
  if (evidence === null || typeof evidence !== 'object' || Array.isArray(evidence)) return null;
  return Object.entries(evidence).find(([key]) => key === field)?.[1] ?? null;
}

/** Evidence of the newest entry of a step; null when there is none. */
export const evidenceOf = (
  saga: SagaRecord,
  step: JournalEntry['step'],
  event: JournalEntry['event'] = 'done',
  direction: JournalEntry['direction'] = 'do',
): Json =>
  saga.journal.findLast((e) => e.step === step && e.event === event && e.direction === direction)?.evidence ?? null;

/** Walking back has an epoch of its own, above the one that may have been published; null: it has not begun. */
export function undoEpoch(saga: SagaRecord): number | null {
  const epochs = saga.journal
    .filter((e) => e.direction === 'undo' && e.event === 'intent')
    .map((e) => valueOf(e.evidence, 'epoch'));
  return epochs.find((e) => typeof e === 'number') ?? null;
}

export const incidentOf = (saga: SagaRecord): string => textOf(evidenceOf(saga, 'open'), 'incident') ?? saga.id;
