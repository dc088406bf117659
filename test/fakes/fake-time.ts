import { setImmediate } from 'node:timers/promises';

type Timer = { readonly atMs: number; readonly order: number; readonly process: FakeProcess; readonly f: () => void };

/**
 * Monotonic time that a test moves, for several pretended processes. A frozen process fires nothing; when it is thawed its
 * overdue timers fire late, as after SIGCONT.
 */
export class FakeTime {
  private now = 0;
  private order = 0;
  private timers: readonly Timer[] = [];

  nowMs(): number {
    return this.now;
  }

  process(): FakeProcess {
    return new FakeProcess(this);
  }

  add(process: FakeProcess, delayMs: number, f: () => void): () => void {
    const timer = { atMs: this.now + delayMs, order: ++this.order, process, f };
    this.timers = [...this.timers, timer];
    return () => {
      this.timers = this.timers.filter((t) => t !== timer);
    };
  }

  /** Fires what falls due, in order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    await settle();
    for (;;) {
      const due = this.timers
        .filter((t) => t.atMs <= until && !t.process.frozen)
        .toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (!due) break;
      this.now = Math.max(this.now, due.atMs);
      this.timers = this.timers.filter((t) => t !== due);
      due.f();
      await settle();
    }
    this.now = until;
  }

  /** Time passes and nobody runs: a blocked event loop. Call `advance(0)` to let the late timers fire. */
  block(ms: number): void {
    this.now += ms;
  }
}

export class FakeProcess {
  frozen = false;
  constructor(private readonly time: FakeTime) {}

  readonly clock = {
    monotonicMs: (): number => this.time.nowMs(),
    wallMs: (): number => {
      throw new Error('the wall clock was asked');
    },
  };
  readonly timers = {
    after: (ms: number, f: () => void): (() => void) => this.time.add(this, ms, f),
  };
}

/** Lets everything that waits on promises alone go on; in-memory stores answer within a few turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await setImmediate();
}
