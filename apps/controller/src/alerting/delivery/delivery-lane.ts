import type { Attempt, Delivery } from './delivery-queue.port.js';

/** `direct` deliveries exist in this process only; `outbox` ones can be read again. */
export type Origin = 'outbox' | 'direct';
type Item = { delivery: Delivery; origin: Origin; dueAtMs: number };

/**
 * One receiver's queue in memory: one request in flight, oldest due delivery first, so that alerts arrive in order and a
 * receiver that hangs costs the others nothing.
 */
export class DeliveryLane {
  private readonly items = new Map<string, Item>();
  private readonly closing = new AbortController();
  private limitedUntilMs = 0;
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;

  constructor(
    private readonly attempt: Attempt,
    private readonly maxQueued: number,
    /** A direct delivery had to make room; it is lost for this receiver. */
    private readonly dropped: (delivery: Delivery) => void,
  ) {}

  /** Takes a delivery unless it is here already. False: no room (it stays in the outbox). */
  offer(delivery: Delivery, origin: Origin): boolean {
    if (this.closing.signal.aborted) return false;
    if (this.items.has(delivery.key)) return true;
    if (this.items.size >= this.maxQueued && !this.makeRoom(origin)) return false;
    this.items.set(delivery.key, { delivery, origin, dueAtMs: performance.now() });
    this.wake();
    return true;
  }

  /** Whether it is here. What came by the direct path is then in the outbox as well, and can be read again. */
  adopt(key: string): boolean {
    const item = this.items.get(key);
    if (item) item.origin = 'outbox';
    return item !== undefined;
  }

  /** For deliveries from the outbox. */
  hasRoom(): boolean {
    return this.items.size < this.maxQueued;
  }

  /** Somebody else leads now and delivers from the outbox; direct alerts exist only here and stay. */
  forgetOutbox(): void {
    for (const [key, item] of this.items) if (item.origin === 'outbox') this.items.delete(key);
  }

  direct(): readonly Delivery[] {
    return [...this.items.values()].filter((item) => item.origin === 'direct').map((item) => item.delivery);
  }

  async close(): Promise<void> {
    this.closing.abort();
    if (this.timer) clearTimeout(this.timer);
    await this.running;
  }

  private makeRoom(origin: Origin): boolean {
    if (origin === 'outbox') return false;
    const victim = [...this.items.values()].find((i) => i.origin === 'outbox') ?? this.items.values().next().value;
    if (!victim) return false;
    this.items.delete(victim.delivery.key);
    if (victim.origin === 'direct') this.dropped(victim.delivery);
    return true;
  }

  private wake(): void {
    if (this.running || this.closing.signal.aborted) return;
    if (this.timer) clearTimeout(this.timer);
    const next = this.earliest();
    if (!next) return;
    this.timer = setTimeout(
      () => {
        this.running = this.drain().finally(() => {
          this.running = null;
          this.wake();
        });
      },
      Math.max(0, Math.max(next.dueAtMs, this.limitedUntilMs) - performance.now()),
    );
    this.timer.unref();
  }

  private earliest(): Item | null {
    let best: Item | null = null;
    for (const item of this.items.values()) if (!best || item.dueAtMs < best.dueAtMs) best = item;
    return best;
  }

  private firstDue(): Item | null {
    const now = performance.now();
    if (now < this.limitedUntilMs) return null;
    for (const item of this.items.values()) if (item.dueAtMs <= now) return item;
    return null;
  }

  private async drain(): Promise<void> {
    for (let item = this.firstDue(); item && !this.closing.signal.aborted; item = this.firstDue()) {
      const result = await this.attempt(item.delivery, this.closing.signal);
      const now = performance.now();
      if (result.next === 'done') {
        this.items.delete(item.delivery.key);
        // The receiver may be back: what waited for its turn need not wait any longer.
        for (const other of this.items.values()) other.dueAtMs = now;
      } else if (result.next === 'again') {
        item.delivery = { ...item.delivery, attempts: item.delivery.attempts + 1 };
        item.dueAtMs = now + result.inMs;
      } else {
        this.limitedUntilMs = now + result.inMs;
      }
    }
  }
}
