import type { Alert } from '../persistence/authority-store.port.js';

/** Delivery of alerts. Rows are enqueued in the transaction that causes them (AuthorityTx.enqueueAlert). */
export interface Alerting {
  /** Wakes the delivery loop after a commit that enqueued something. */
  nudge(): void;
  /** The direct path when the store is down: same id as the row would have had; delivered from memory. */
  direct(alert: Alert): void;
}

export const ALERTING = Symbol('Alerting');
