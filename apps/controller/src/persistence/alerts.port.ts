import type { AlertType } from '#failover';

/** What a person or the end of a story adds to the alerts of the decision matrix. */
export const FOLLOW_UP_TYPES = ['acknowledged', 'resolved', 'test'] as const;
export type AlertKind = AlertType | (typeof FOLLOW_UP_TYPES)[number];

/** The body that receivers get (contracts: Names). */
export type Alert = Readonly<{
  id: string;
  /** One key from suspicion to resolve. */
  incident: string;
  type: AlertKind;
  group: string;
  row: number | null;
  reason: string;
  blockers: readonly Readonly<{ name: string; liftedBy: string }>[];
  term: number;
  epoch: number;
  at: string;
  /** On `acknowledged` and `resolved`: what the incident told before, so that they go where that went. */
  of?: readonly AlertKind[];
}>;

export type DeliveryRow = Readonly<{
  receiver: string;
  deliveredAt: string | null;
  /** In this round; a re-sent dead letter begins a new one at 0. */
  attempts: number;
  lastError: string | null;
  attemptedAt: string;
  /** Given up after the last attempt; null while it is tried. */
  deadAt: string | null;
  round: number;
}>;

export type OutboxRow = Readonly<{ alert: Alert; settledAt: string | null; deliveries: readonly DeliveryRow[] }>;

/** `seq`: its place in the outbox; one that is enqueued later has a higher one. `resends`: how often it was sent again. */
export type PendingAlert = OutboxRow & Readonly<{ seq: number; resends: number }>;

/** `pending`: somebody may still owe a delivery; `dead`: some receiver was given up on. */
export const ALERT_STATES = ['all', 'pending', 'dead'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** `dead`: no further attempt will be made in this round. */
export type DeliveryOutcome = Readonly<
  { deliveredAt: string } | { failedAt: string; error: string; dead?: boolean; round?: number }
>;

/** A story as the alerts told it so far; kept by `enqueueAlert` in the same transaction. */
export type IncidentRow = Readonly<{
  incident: string;
  group: string;
  openedAt: string;
  types: readonly AlertKind[];
  /** The newest alert that was no acknowledgement. */
  last: Alert;
  acknowledgedAt: string | null;
  resolvedAt: string | null;
}>;

/** Alerts after which a story is over. */
const ENDS: readonly AlertKind[] = ['completed', 'resolved', 'test'];

/** The incident after one more of its alerts. Pure, so that every store keeps the same. */
export function foldIncident(known: IncidentRow | null, alert: Alert): IncidentRow {
  const before = known ?? {
    incident: alert.incident,
    group: alert.group,
    openedAt: alert.at,
    types: [],
    last: alert,
    acknowledgedAt: null,
    resolvedAt: null,
  };
  if (alert.type === 'acknowledged') return { ...before, acknowledgedAt: alert.at };
  return {
    ...before,
    types: before.types.includes(alert.type) ? before.types : [...before.types, alert.type],
    last: alert,
    resolvedAt: ENDS.includes(alert.type) ? alert.at : null,
  };
}
