import type { Alert, DeliveryOutcome } from '../../persistence/alerts.port.js';
import type { CompiledAlertingOptions } from '../alerting.options.js';
import type { SendOutcome } from '../receivers/sender.js';
import type { AttemptResult, Delivery } from './delivery-queue.port.js';

export type SendAlert = (receiver: string, alert: Alert, signal: AbortSignal) => Promise<SendOutcome>;

export type DeskEvents = Readonly<{
  /** Remembers the outcome in the outbox. */
  mark(alertId: string, receiver: string, outcome: DeliveryOutcome): Promise<void>;
  delivered(delivery: Delivery): void;
  failed(delivery: Delivery, attempts: number, error: string, dead: boolean): void;
}>;

type Schedule = Pick<CompiledAlertingOptions, 'retryDelaysMs' | 'tailDelayMs' | 'maxAttempts'>;

const REMEMBERED = 10_000;
/** A delivery that another queue of this process is just attempting is looked at again after this. */
const BUSY_MS = 1_000;

/**
 * Makes the attempts, whoever carries the deliveries, and says when the next one is due. Remembers what was answered 2xx:
 * an alert that comes by two ways (direct path and outbox, Redis and this process) is sent once by this process.
 */
export class DeliveryDesk {
  private readonly taken = new Set<string>();
  private readonly abandoned = new Set<string>();
  private readonly busy = new Set<string>();
  private readonly marks = new Set<Promise<void>>();

  constructor(
    private readonly send: SendAlert,
    private readonly schedule: Schedule,
    private readonly events: DeskEvents,
  ) {}

  async attempt(delivery: Delivery, signal: AbortSignal): Promise<AttemptResult> {
    const { key } = delivery;
    if (this.isEnded(key)) return { next: 'done' };
    if (this.busy.has(key)) return { next: 'limited', inMs: BUSY_MS };
    this.busy.add(key);
    try {
      const outcome = await this.send(delivery.receiver, delivery.alert, signal);
      return this.settle(delivery, outcome, signal);
    } finally {
      this.busy.delete(key);
    }
  }

  wasDelivered(key: string): boolean {
    return this.taken.has(key);
  }

  /** Delivered or given up by this process: nothing more will be tried. */
  isEnded(key: string): boolean {
    return this.taken.has(key) || this.abandoned.has(key);
  }

  /** After so many attempts the next one is due after this time. */
  delayMs(attempts: number): number {
    return attempts === 0 ? 0 : (this.schedule.retryDelaysMs[attempts - 1] ?? this.schedule.tailDelayMs);
  }

  /** Resolves when every outcome so far is in the outbox, or could not be brought there. */
  async idle(): Promise<void> {
    await Promise.all(this.marks);
  }

  private settle(delivery: Delivery, outcome: SendOutcome, signal: AbortSignal): AttemptResult {
    if (outcome.ok) {
      remember(this.taken, delivery.key);
      this.mark(delivery, { deliveredAt: new Date().toISOString() });
      return { next: 'done' };
    }
    if ('waitMs' in outcome) return { next: 'limited', inMs: outcome.waitMs };
    if (signal.aborted) return { next: 'again', inMs: BUSY_MS };
    const attempts = delivery.attempts + 1;
    const dead = outcome.forGood || attempts >= this.schedule.maxAttempts;
    if (dead) remember(this.abandoned, delivery.key);
    this.events.failed(delivery, attempts, outcome.error, dead);
    const { round } = delivery;
    this.mark(delivery, { failedAt: new Date().toISOString(), error: outcome.error, dead, round });
    return dead ? { next: 'done' } : { next: 'again', inMs: Math.max(this.delayMs(attempts), outcome.retryAfterMs) };
  }

  /** Not waited for: with the store down the next alert leaves all the same. */
  private mark(delivery: Delivery, outcome: DeliveryOutcome): void {
    const marking = this.events.mark(delivery.alert.id, delivery.receiver, outcome).then(() => {
      if ('deliveredAt' in outcome) this.events.delivered(delivery);
    });
    this.marks.add(marking);
    void marking.finally(() => this.marks.delete(marking));
  }
}

const remember = (set: Set<string>, id: string): void => {
  set.add(id);
  if (set.size > REMEMBERED) for (const oldest of set) return void set.delete(oldest);
};
