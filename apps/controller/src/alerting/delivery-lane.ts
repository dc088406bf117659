import type { Alert } from '../persistence/authority-store.port.js';
import type { CompiledAlertingOptions } from './alerting.options.js';
import type { SendAlert, SendOutcome } from './webhook/webhook-sender.js';

type Origin = 'outbox' | 'direct';
type Item = { readonly alert: Alert; readonly origin: Origin; attempts: number; dueAtMs: number };

export type LaneEvents = Readonly<{
  attempted(alert: Alert, outcome: SendOutcome, attempts: number): void;
  /** A direct alert had to make room; it is lost for this receiver. */
  dropped(alert: Alert): void;
}>;

const REMEMBERED = 10_000;

/**
 * One receiver's queue: one request in flight, oldest due alert first, so that alerts arrive in order and a receiver
 * that hangs costs the others nothing. Remembers what was answered 2xx, so an alert that comes both by the direct path
 * and by the outbox is sent once by this process.
 */
export class DeliveryLane {
  private readonly items = new Map<string, Item>();
  private readonly delivered = new Set<string>();
  private readonly abandoned = new Set<string>();
  private readonly closing = new AbortController();
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;

  constructor(
    readonly receiver: string,
    private readonly send: SendAlert,
    private readonly options: CompiledAlertingOptions,
    private readonly events: LaneEvents,
  ) {}

  /** Takes an alert unless it is here already, was delivered or given up. `attempts`: made before, by anybody. */
  offer(alert: Alert, origin: Origin, attempts: number): void {
    if (this.closing.signal.aborted || this.items.has(alert.id) || this.isSettled(alert.id)) return;
    if (this.items.size >= this.options.maxQueued && !this.makeRoom(origin)) return;
    this.items.set(alert.id, { alert, origin, attempts, dueAtMs: performance.now() });
    this.wake();
  }

  wasDelivered(id: string): boolean {
    return this.delivered.has(id);
  }

  /** Delivered or given up by this process: nothing more will be tried. */
  isSettled(id: string): boolean {
    return this.delivered.has(id) || this.abandoned.has(id);
  }

  /** Somebody else leads now and delivers from the outbox; direct alerts exist only here and stay. */
  forgetOutbox(): void {
    for (const [id, item] of this.items) if (item.origin === 'outbox') this.items.delete(id);
  }

  waiting(): readonly string[] {
    return [...this.items.keys()];
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
    this.items.delete(victim.alert.id);
    if (victim.origin === 'direct') this.events.dropped(victim.alert);
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
      Math.max(0, next.dueAtMs - performance.now()),
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
    for (const item of this.items.values()) if (item.dueAtMs <= now) return item;
    return null;
  }

  private async drain(): Promise<void> {
    for (let item = this.firstDue(); item && !this.closing.signal.aborted; item = this.firstDue()) {
      const outcome = await this.send(item.alert, this.closing.signal);
      if (this.closing.signal.aborted && !outcome.ok) return;
      this.settle(item, outcome);
      this.events.attempted(item.alert, outcome, item.attempts);
    }
  }

  private settle(item: Item, outcome: SendOutcome): void {
    item.attempts += 1;
    if (outcome.ok) {
      this.items.delete(item.alert.id);
      remember(this.delivered, item.alert.id);
      // The receiver is back: what waited for its turn need not wait any longer.
      for (const other of this.items.values()) other.dueAtMs = performance.now();
    } else if (item.attempts >= this.options.maxAttempts) {
      this.items.delete(item.alert.id);
      remember(this.abandoned, item.alert.id);
    } else {
      const wait = this.options.retryDelaysMs[item.attempts - 1] ?? this.options.tailDelayMs;
      item.dueAtMs = performance.now() + wait;
    }
  }
}

const remember = (set: Set<string>, id: string): void => {
  set.add(id);
  if (set.size > REMEMBERED) for (const oldest of set) return void set.delete(oldest);
};
