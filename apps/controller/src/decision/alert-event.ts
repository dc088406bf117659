import type { Alert, EventRow } from '../persistence/authority-store.port.js';

/** An alert as the history of its group tells it; written with its row in the outbox. */
export const alertEvent = (alert: Alert): Omit<EventRow, 'seq'> => ({
  at: alert.at,
  group: alert.group,
  type: 'alert',
  row: alert.row,
  summary: `${alert.type}: ${alert.reason}`,
  detail: { id: alert.id, incident: alert.incident, type: alert.type },
  term: alert.term,
  epoch: alert.epoch,
});
