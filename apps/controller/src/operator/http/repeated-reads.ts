/** How often one refused read was asked again, since when, and by which call last. */
export type Repeats = Readonly<{ times: number; sinceMs: number; requestId: string }>;

type Counted<T> = { readonly first: T; sinceMs: number; times: number; requestId: string };

/**
 * Refused reads that come again and again: a dashboard whose token has ended asks each second, for ever. The first one is told
 * at once, the others are counted; what was counted is told once a window. Only what was told has a count, so who bounds the
 * telling bounds the memory.
 */
export class RepeatedReads<T> {
  private readonly counts = new Map<string, Counted<T>>();

  /** @param windowMs between two tellings of one read */
  constructor(private readonly windowMs: number) {}

  /** False: not known yet, so it is to be told and then {@link begin begun}. */
  count(key: string, requestId: string): boolean {
    const known = this.counts.get(key);
    if (known === undefined) return false;
    known.times += 1;
    known.requestId = requestId;
    return true;
  }

  begin(key: string, first: T, nowMs: number): void {
    this.counts.set(key, { first, sinceMs: nowMs, times: 0, requestId: '' });
  }

  /** Those whose window is over, or all. What did not come again within one is forgotten, and told at once the next time. */
  take(nowMs: number, all = false): readonly (Repeats & Readonly<{ first: T }>)[] {
    const due = [...this.counts].filter(([, { sinceMs }]) => all || nowMs - sinceMs >= this.windowMs);
    return due.flatMap(([key, counted]) => {
      if (counted.times === 0 || all) this.counts.delete(key);
      else this.counts.set(key, { ...counted, sinceMs: nowMs, times: 0 });
      return counted.times === 0 ? [] : [{ ...counted }];
    });
  }
}
