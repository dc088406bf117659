/** Whether the copy catches up. `unknown`: too few samples, or lag itself unknown. */
export type Trend = 'rising' | 'falling' | 'steady' | 'unknown';

type Sample = Readonly<{ atMs: number; lag: number | null }>;

const SPAN_MS = 30_000;
const MIN_SPAN_MS = 4_000;
const KEEP = 64;

/**
 * Newest against oldest of the last 30 s; a change below a fiftieth of the budget is noise, because
 * lag in an asynchronous copy is never still.
 */
export class LagTrend {
  private readonly samples = new Map<string, readonly Sample[]>();

  add(key: string, atMs: number, lag: number | null): void {
    const kept = (this.samples.get(key) ?? []).filter((s) => atMs - s.atMs <= SPAN_MS && s.atMs < atMs);
    this.samples.set(key, [...kept, { atMs, lag }].slice(-KEEP));
  }

  of(key: string, budget: number): Trend {
    const known = (this.samples.get(key) ?? []).filter(
      (s): s is Readonly<{ atMs: number; lag: number }> => s.lag !== null,
    );
    const first = known[0];
    const last = known.at(-1);
    if (!first || !last || last.atMs - first.atMs < MIN_SPAN_MS) return 'unknown';
    const change = last.lag - first.lag;
    if (Math.abs(change) <= budget / 50) return 'steady';
    return change > 0 ? 'rising' : 'falling';
  }
}
