import type { PendingAlert } from '../../persistence/alerts.port.js';

/** Whether this receiver may be handed the row now. If not, it is owed all the same. */
export type MayHave = (receiver: string) => boolean;
/** `open`: somebody is still owed it; `refused`: receivers that were to be handed it and have no room. */
export type Taken = Readonly<{ open: boolean; refused: readonly string[] }>;

export type WalkSteps = Readonly<{
  /** Rows not settled, oldest first, numbered above `after`; fewer than `limit` only at the end. */
  read(limit: number, after: number): Promise<readonly PendingAlert[]>;
  take(row: PendingAlert, mayHave: MayHave): Promise<Taken>;
  hasRoom(receiver: string): boolean;
}>;

/**
 * How the leader goes through the outbox, however long it is. Each receiver has a place of its own: all rows up to it were
 * handed over, in order. One that takes nothing keeps its place and costs the others nothing; one that has room goes on from
 * where it stood. Beside that each look reads one page again, in turn, for what has become of it meanwhile. So a look costs
 * that page, what is new, and a page for each receiver that has room again; an outbox of one page is read once.
 */
export class OutboxWalk {
  private readonly places = new Map<string, number>();
  private againFrom = 0;
  private newest = 0;
  private counted = 0;
  private opened = 0;

  constructor(
    private readonly receivers: readonly string[],
    private readonly limit: number,
    private readonly steps: WalkSteps,
  ) {
    this.forget();
  }

  /** Rows that some receiver is owed: as of the last time round, and those that are new since. */
  open(): number {
    return this.opened;
  }

  /** Throws what reading and taking throw; the next look goes on where this one broke off. */
  async look(): Promise<void> {
    const full = new Set<string>();
    let end = await this.lookAgain(full);
    for (let from = this.nextPlace(full); from !== null && (end === null || from < end); from = this.nextPlace(full)) {
      ({ end } = await this.page(from, full));
    }
  }

  /** Somebody else leads: nothing that was handed over here counts any more. */
  forget(): void {
    for (const receiver of this.receivers) this.places.set(receiver, 0);
    this.againFrom = 0;
    this.newest = 0;
    this.counted = 0;
    this.opened = 0;
  }

  /** The next page in turn. The number of the last row there is, if this page had it. */
  private async lookAgain(full: Set<string>): Promise<number | null> {
    const { end, last, open } = await this.page(this.againFrom, full);
    this.counted += open;
    this.againFrom = end === null ? last : 0;
    if (end === null) return null;
    this.opened = this.counted;
    this.counted = 0;
    return end;
  }

  /** Where the receiver stands that is furthest behind, of those that could be handed more. */
  private nextPlace(full: ReadonlySet<string>): number | null {
    const hungry = this.receivers.filter((receiver) => !full.has(receiver) && this.steps.hasRoom(receiver));
    return hungry.length === 0 ? null : Math.min(...hungry.map((receiver) => this.place(receiver)));
  }

  private async page(
    after: number,
    full: Set<string>,
  ): Promise<Readonly<{ last: number; end: number | null; open: number }>> {
    const rows = await this.steps.read(this.limit, after);
    // Whoever stands before this page has rows in between to be handed first.
    const waits = new Set(this.receivers.filter((receiver) => full.has(receiver) || this.place(receiver) < after));
    let open = 0;
    for (const row of rows) {
      const taken = await this.steps.take(row, (to) => !waits.has(to) || row.seq <= this.place(to));
      for (const receiver of taken.refused) {
        full.add(receiver);
        if (row.seq > this.place(receiver)) waits.add(receiver);
      }
      for (const receiver of this.receivers)
        if (!waits.has(receiver)) this.places.set(receiver, Math.max(this.place(receiver), row.seq));
      if (!taken.open) continue;
      open += 1;
      if (row.seq > this.newest) this.opened += 1;
    }
    const last = rows.at(-1)?.seq ?? after;
    this.newest = Math.max(this.newest, last);
    return { last, end: rows.length < this.limit ? last : null, open };
  }

  private place(receiver: string): number {
    return this.places.get(receiver) ?? 0;
  }
}
