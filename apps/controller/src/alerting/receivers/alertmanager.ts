import type { Alert } from '../../persistence/alerts.port.js';
import { ALERT_TABLE, routedSeverity } from '../alert-table.js';
import type { AlertmanagerReceiver } from '../alerting.options.js';
import { JSON_HEADERS, runbookOf, titleOf, type FormatContext, type ReceiverFormat } from './format.js';

/** A firing alert ends by itself this long after it was last told: four of the repetitions may be lost, as with Prometheus. */
const FIRES_FOR_MS = 240_000;

/** Alertmanager's API v2. The labels are those of the incident, so that what is told later replaces what was told before. */
export const alertmanagerFormat: ReceiverFormat<AlertmanagerReceiver> = {
  keepsIncidents: true,
  minGapMs: 0,
  refusesForGood: ({ status }) => status === 400,
  request: ({ url }, alert, context) => postable(url, [alertOf(alert, context)]),
};

/** `PointsmanFailover` for `orders-7-failover-1`: the family of the incident, in the manner of Prometheus' rules. */
const alertName = ({ incident, type }: Alert): string => {
  const family = /-([a-z_]+)-\d+$/.exec(incident)?.[1] ?? type;
  const words = family.split('_').map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`);
  return `Pointsman${words.join('')}`;
};

function alertOf(alert: Alert, context: FormatContext) {
  const { status } = ALERT_TABLE[alert.type];
  const told = Date.parse(alert.at);
  const startsMs = Math.min(Number.isNaN(told) ? context.nowMs : told, context.nowMs);
  return {
    labels: {
      alertname: alertName(alert),
      group: alert.group,
      incident: alert.incident,
      severity: routedSeverity(alert),
      service: 'pointsman',
    },
    annotations: {
      summary: titleOf(alert),
      description: alert.reason,
      type: alert.type,
      alert_id: alert.id,
      runbook_url: runbookOf(alert, context),
    },
    // What is over began before it ended: Alertmanager refuses an end before the start.
    startsAt: new Date(status === 'resolved' ? startsMs - 1 : startsMs).toISOString(),
    endsAt: new Date(status === 'resolved' ? context.nowMs : context.nowMs + FIRES_FOR_MS).toISOString(),
  };
}

const postable = (url: string, alerts: readonly object[]) => ({
  url: `${url.replace(/\/+$/, '')}/api/v2/alerts`,
  headers: JSON_HEADERS,
  body: JSON.stringify(alerts),
});

/** Fires for ever: that it stops arriving is what must be noticed. */
export const watchdogRequest = ({ url }: AlertmanagerReceiver, controller: string, nowMs: number) =>
  postable(url, [
    {
      labels: { alertname: 'PointsmanWatchdog', severity: 'none', service: 'pointsman' },
      annotations: { summary: 'Pointsman leads and can alert', description: `told by ${controller}` },
      endsAt: new Date(nowMs + FIRES_FOR_MS).toISOString(),
    },
  ]);
