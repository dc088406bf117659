import type { LeaseRow } from '../persistence/authority-store.port.js';

/**
 * A candidate's knowledge of the row, by its own monotonic clock only: no clock of the store decides, because a
 * multi-primary store has several. Counts conservatively: from the *end* of the first read that showed the row as it is
 * to the *start* of the last one.
 */
export class LeaseWatch {
  private seen: Readonly<{ row: LeaseRow; sinceMs: number; lastReadMs: number }> | null = null;
  private mine: LeaseRow | null = null;

  get row(): LeaseRow | null {
    return this.seen?.row ?? null;
  }

  observe(row: LeaseRow, sentAtMs: number, answeredAtMs: number): void {
    const known = this.seen;
    const unchanged =
      known !== null &&
      known.row.term === row.term &&
      known.row.renewals === row.renewals &&
      known.row.holder === row.holder;
    this.seen = unchanged
      ? { ...known, lastReadMs: Math.max(known.lastReadMs, sentAtMs) }
      : { row, sinceMs: answeredAtMs, lastReadMs: answeredAtMs };
  }

  /** The row as this process last held it, for {@link mayTake}. */
  remember(mine: LeaseRow): void {
    this.mine = mine;
  }

  /** How long the row as it is has been known not to change. */
  unchangedForMs(): number {
    return this.seen ? this.seen.lastReadMs - this.seen.sinceMs : 0;
  }

  /** The instant at which a read, if it still shows this row, would allow to take it. */
  takeableAtMs(ttlMs: number): number | null {
    return this.seen && this.seen.sinceMs + ttlMs;
  }

  /** Seen to change within the ttl: its holder may well be leading. */
  isFresh(nowMs: number, ttlMs: number): boolean {
    return this.seen !== null && nowMs - this.seen.sinceMs <= ttlMs;
  }

  mayTake(ttlMs: number): boolean {
    const row = this.row;
    if (!row) return false;
    const released = row.holder === null && row.advertise === null;
    return released || this.wasRaisedOverMe(row) || this.unchangedForMs() >= ttlMs;
  }

  /**
   * The term was raised while this very process held the lease, and nothing happened in between (each change counts one
   * renewal): nobody else can be leading, so it need not wait.
   */
  private wasRaisedOverMe(row: LeaseRow): boolean {
    return (
      this.mine !== null &&
      row.holder === null &&
      row.advertise === this.mine.advertise &&
      row.renewals === this.mine.renewals + 1
    );
  }
}
