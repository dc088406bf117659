import type { Delivery } from './delivery-queue.port.js';

type Handed = { round: number; attempts: number; dueAtMs: number; here: boolean };

/**
 * Which deliveries were handed to the queue, and since when nothing came of them. Dead, wiped, frozen, slow: all look the
 * same in the outbox, where the attempts should show. A receiver whose other deliveries get on is only busy. For each
 * receiver the queue holds a bounded number.
 */
export class TakeOver {
  /** By receiver, then by alert. */
  private readonly handed = new Map<string, Map<string, Handed>>();
  private readonly progressMs = new Map<string, number>();

  constructor(
    private readonly afterMs: number,
    private readonly maxHanded: number,
    private readonly delayMs: (attempts: number) => number,
  ) {}

  /** `queue`: hand it over now. `wait`: it is in good hands. `here`: this process must carry it. `full`: not now. */
  next({ receiver, round, attempts, alert }: Delivery, nowMs: number): 'queue' | 'wait' | 'here' | 'full' {
    const held = this.of(receiver);
    const known = held.get(alert.id);
    if (known?.round !== round) {
      if (known === undefined && held.size >= this.maxHanded) return 'full';
      held.set(alert.id, { round, attempts, dueAtMs: nowMs, here: false });
      return 'queue';
    }
    if (known.attempts !== attempts) {
      held.set(alert.id, { ...known, attempts, dueAtMs: nowMs + this.delayMs(attempts) });
      this.progressMs.set(receiver, nowMs);
    }
    const current = held.get(alert.id) ?? known;
    if (current.here) return 'here';
    if (nowMs - Math.max(current.dueAtMs, this.progressMs.get(receiver) ?? 0) < this.afterMs) return 'wait';
    current.here = true;
    return 'here';
  }

  refused({ receiver, alert }: Delivery): void {
    const known = this.of(receiver).get(alert.id);
    if (known) known.here = true;
  }

  hasRoom(receiver: string): boolean {
    return this.of(receiver).size < this.maxHanded;
  }

  /** Delivered, given up or not owed any more: that is progress for what else its receiver is owed. */
  ended(alertId: string, receiver: string, nowMs = performance.now()): void {
    if (this.of(receiver).delete(alertId)) this.progressMs.set(receiver, nowMs);
  }

  /** Somebody else leads and feeds the queue. */
  forget(): void {
    this.handed.clear();
  }

  private of(receiver: string): Map<string, Handed> {
    const held = this.handed.get(receiver) ?? new Map<string, Handed>();
    this.handed.set(receiver, held);
    return held;
  }
}
