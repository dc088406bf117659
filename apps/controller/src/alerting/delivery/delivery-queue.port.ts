import type { Alert } from '../../persistence/alerts.port.js';

/** One alert for one receiver. */
export type Delivery = Readonly<{
  /** Alert, receiver and round: the same for whoever carries it. */
  key: string;
  receiver: string;
  round: number;
  alert: Alert;
  /** Made before in this round, by anybody. */
  attempts: number;
}>;

export const deliveryKey = (alertId: string, receiver: string, round: number): string =>
  `${alertId}|${receiver}|${round}`;

/**
 * `done`: delivered, given up or not owed any more. `again`: not before `inMs`. `limited`: the receiver takes nothing from
 * anybody for `inMs`, and no attempt was counted.
 */
export type AttemptResult = Readonly<{ next: 'done' } | { next: 'again' | 'limited'; inMs: number }>;

/** Makes one attempt and remembers it in the outbox. Never throws. */
export type Attempt = (delivery: Delivery, signal: AbortSignal) => Promise<AttemptResult>;

/**
 * Carries deliveries: holds each until its time, hands it to {@link Attempt}, holds it again when that says so. A queue may
 * lose what it was given (it is told of no loss): the outbox is the truth, and whoever feeds the queue looks there.
 */
export interface DeliveryQueue {
  /**
   * True once the queue holds it (or held it before); false when it cannot be had now: use another. Waits for a bounded
   * time only and never throws.
   */
  put(delivery: Delivery): Promise<boolean>;
  /** Attempts in flight are broken off after a bounded time; nothing new begins. */
  close(): Promise<void>;
}
