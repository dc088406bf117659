/**
 * Notices that this process did not run for a while: a blocked event loop, a frozen or a starved process. After that
 * its picture of the world is old, however young its lease looks.
 * NOT noticed: a whole machine suspended, whose monotonic clock stands still too; there only the guards help.
 */
export class StallDetector {
  private lastSeenMs: number;
  private stalledAtMs: number | null = null;

  constructor(
    nowMs: number,
    private readonly allowedMs: number,
  ) {
    this.lastSeenMs = nowMs;
  }

  /** Call often: at each beat, and before anything is decided. */
  look(nowMs: number): void {
    if (nowMs - this.lastSeenMs > this.allowedMs) this.stalledAtMs = nowMs;
    this.lastSeenMs = nowMs;
  }

  get stalled(): boolean {
    return this.stalledAtMs !== null;
  }

  /** A renewal that was sent at `sentAtMs` succeeded: only one sent after the stall makes up for it. */
  renewed(sentAtMs: number): void {
    if (this.stalledAtMs !== null && sentAtMs >= this.stalledAtMs) this.stalledAtMs = null;
  }
}
