/** Waits for "quiet" that several parts reach on their own, each wait ended by success or by the next question. */
export class Quiet {
  private readonly isQuiet: () => boolean;
  private waiting: ((reached: boolean) => void) | null = null;

  constructor(isQuiet: () => boolean) {
    this.isQuiet = isQuiet;
  }

  /** Resolves true once it is quiet, false when asked again or given up before. */
  reached(): Promise<boolean> {
    this.giveUp();
    if (this.isQuiet()) return Promise.resolve(true);
    return new Promise((resolve) => (this.waiting = resolve));
  }

  /** Something ended: look again. */
  look(): void {
    if (this.waiting === null || !this.isQuiet()) return;
    this.waiting(true);
    this.waiting = null;
  }

  giveUp(): void {
    this.waiting?.(false);
    this.waiting = null;
  }
}
