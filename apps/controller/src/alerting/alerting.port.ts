import { createHash } from 'node:crypto';
import type { Alert, AlertKind } from '../persistence/alerts.port.js';

/** Delivery of alerts. Rows are enqueued in the transaction that causes them (AuthorityTx.enqueueAlert). */
export interface Alerting {
  /** Wakes the delivery loop after a commit that enqueued something. */
  nudge(): void;
  /** The direct path when the store is down: same id as the row would have had; delivered from memory. */
  direct(alert: Alert): void;
}

export const ALERTING = Symbol('Alerting');

/**
 * The id of an alert, from what it is about and nothing else: the outbox row, the direct path of another controller and
 * every retry agree on it, so a receiver can drop repeats by `webhook-id`.
 */
export const alertId = (of: Readonly<{ group: string; incident: string; type: AlertKind; epoch: number }>): string =>
  `al_${createHash('sha256')
    .update(JSON.stringify([of.group, of.incident, of.type, of.epoch]))
    .digest('hex')
    .slice(0, 32)}`;

/** For metrics and health: how much is waiting to leave. */
export interface AlertBacklog {
  /** Alerts accepted (outbox rows as of the last look, and direct ones) that some receiver has not taken yet. */
  pending(): number;
}

export const ALERT_BACKLOG = Symbol('AlertBacklog');
