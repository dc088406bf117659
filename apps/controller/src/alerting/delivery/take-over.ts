import type { Delivery } from './delivery-queue.port.js';

type Handed = { attempts: number; dueAtMs: number; here: boolean };

/**
 * Which deliveries were handed to the queue, and since when nothing came of them. Dead, wiped, frozen, slow: all look the
 * same in the outbox, where the attempts should show. A receiver whose other deliveries get on is only busy.
 */
export class TakeOver {
  private readonly handed = new Map<string, Handed>();
  private readonly progressMs = new Map<string, number>();

  constructor(
    private readonly afterMs: number,
    private readonly delayMs: (attempts: number) => number,
  ) {}

  /** `queue`: hand it over now. `wait`: it is in good hands. `here`: this process must carry it. */
  next({ key, receiver, attempts }: Delivery, nowMs: number): 'queue' | 'wait' | 'here' {
    const known = this.handed.get(key);
    if (known === undefined) {
      this.handed.set(key, { attempts, dueAtMs: nowMs, here: false });
      return 'queue';
    }
    if (known.attempts !== attempts) {
      this.handed.set(key, { attempts, dueAtMs: nowMs + this.delayMs(attempts), here: known.here });
      this.progressMs.set(receiver, nowMs);
    }
    const current = this.handed.get(key) ?? known;
    if (current.here) return 'here';
    if (nowMs - Math.max(current.dueAtMs, this.progressMs.get(receiver) ?? 0) < this.afterMs) return 'wait';
    current.here = true;
    return 'here';
  }

  refused({ key }: Delivery): void {
    const known = this.handed.get(key);
    if (known) known.here = true;
  }

  /** Deliveries of other alerts are over: that is progress of their receivers too. */
  keep(alertIds: ReadonlySet<string>, nowMs = performance.now()): void {
    for (const key of this.handed.keys()) {
      const [alertId = '', receiver = ''] = key.split('|');
      if (alertIds.has(alertId)) continue;
      this.handed.delete(key);
      this.progressMs.set(receiver, nowMs);
    }
  }

  /** Somebody else leads and feeds the queue. */
  forget(): void {
    this.handed.clear();
  }
}
