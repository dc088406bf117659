/** After a look `soon` waits this many times as long as it took: reading takes no more than a fifth of the time. */
const REST = 4;

/** Looks again and again: at an interval, at once when something new is known to be there; never two at a time. */
export class LookLoop {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;
  private dueMs = Number.POSITIVE_INFINITY;
  private restUntilMs = 0;
  private soonAsked = false;
  private closed = false;

  /** @param look must not throw */
  constructor(
    private readonly look: () => Promise<void>,
    private readonly everyMs: number,
  ) {}

  /** Something new is there: at once, or right after the look that runs. */
  now(): void {
    this.at(performance.now());
  }

  /** Something has become of what was there. A long outbox that is read after each delivery leaves time for nothing else. */
  soon(): void {
    if (this.running === null) this.at(Math.max(performance.now(), this.restUntilMs));
    else this.soonAsked = true;
  }

  /** Nothing new begins; resolves when the look that runs is over. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
    await this.running;
  }

  private at(ms: number): void {
    if (this.closed) return;
    this.dueMs = Math.min(this.dueMs, ms);
    if (this.running !== null) return;
    if (this.timer) clearTimeout(this.timer);
    const waitMs = this.dueMs - performance.now();
    if (waitMs <= 0) return this.run();
    this.timer = setTimeout(() => this.run(), waitMs);
    this.timer.unref();
  }

  private run(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
    this.soonAsked = false;
    const beganMs = performance.now();
    this.running = this.look().finally(() => {
      this.running = null;
      const endedMs = performance.now();
      this.restUntilMs = endedMs + REST * (endedMs - beganMs);
      const nextMs = this.soonAsked ? this.restUntilMs : Number.POSITIVE_INFINITY;
      this.at(Math.min(nextMs, endedMs + this.everyMs));
    });
  }
}
