/**
 * Since when this process has run without standing still. What a process did not do while it was frozen or starved is no
 * evidence about others: after a freeze everything looks silent, until it has been asked again.
 */
export class AwakeSince {
  private lookedAtMs: number;
  private sinceMs: number;

  /** `allowedMs`: between two looks; a longer gap is a standstill. */
  constructor(
    nowMs: number,
    private readonly allowedMs: number,
  ) {
    this.lookedAtMs = nowMs;
    this.sinceMs = nowMs;
  }

  /** Call often. The instant from which on this process ran, on the caller's monotonic clock. */
  look(nowMs: number): number {
    if (nowMs - this.lookedAtMs > this.allowedMs) this.sinceMs = nowMs;
    this.lookedAtMs = nowMs;
    return this.sinceMs;
  }
}
