import { setImmediate } from 'node:timers/promises';
import { DeadlinePassed, type SagaTime } from '../../apps/controller/src/saga/saga-time.js';

type Timer = { readonly atMs: number; readonly fire: () => void };

/** Time that stands still until the simulation lets it run; then it jumps from one timer to the next. */
export class VirtualTime implements SagaTime {
  private nowMs = 0;
  private readonly timers = new Set<Timer>();

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return START_WALL_MS + this.nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(asError(signal.reason));
      const onAbort = (): void => {
        this.timers.delete(timer);
        reject(asError(signal.reason));
      };
      const timer = this.after(ms, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  deadline(ms: number): Readonly<{ signal: AbortSignal; stop: () => void }> {
    const controller = new AbortController();
    const timer = this.after(ms, () => controller.abort(new DeadlinePassed(ms)));
    return { signal: controller.signal, stop: () => void this.timers.delete(timer) };
  }

  after(ms: number, fire: () => void): Timer {
    const timer = { atMs: this.nowMs + ms, fire };
    this.timers.add(timer);
    return timer;
  }

  /** Runs until `done` holds, everything settled at each instant; throws when it does not within `maxMs` of virtual time. */
  async runUntil(done: () => boolean, maxMs = 600_000): Promise<void> {
    const endMs = this.nowMs + maxMs;
    for (;;) {
      await settle();
      if (done()) return;
      const next = [...this.timers].toSorted((x, y) => x.atMs - y.atMs)[0];
      if (next === undefined) throw new Error(`nothing will ever happen again at ${this.nowMs} ms`);
      if (next.atMs > endMs) throw new Error(`not done within ${maxMs} ms of virtual time`);
      this.timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.fire();
    }
  }

  /** Lets `ms` of virtual time pass. */
  async pass(ms: number): Promise<void> {
    let over = false;
    this.after(ms, () => (over = true));
    await this.runUntil(() => over, ms + 1);
  }
}

const START_WALL_MS = Date.parse('2026-11-20T14:00:00Z');

/** In-memory work needs no time: after a few turns of the loop only timers can make a difference. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await setImmediate();
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));
