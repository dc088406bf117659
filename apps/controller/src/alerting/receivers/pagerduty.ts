import type { Alert } from '../../persistence/alerts.port.js';
import { ALERT_TABLE, type AlertStatus } from '../alert-table.js';
import type { PagerDutyReceiver } from '../alerting.options.js';
import { cut, JSON_HEADERS, runbookOf, titleOf, type ReceiverFormat } from './format.js';

const ACTION = { firing: 'trigger', acknowledged: 'acknowledge', resolved: 'resolve' } as const satisfies Readonly<
  Record<AlertStatus, string>
>;
const MAX_SUMMARY = 1024;
const MAX_KEY = 255;

/** PagerDuty's Events API v2. One `dedup_key` per incident, so that suspicion, act and end are one page. */
export const pagerDutyFormat: ReceiverFormat<PagerDutyReceiver> = {
  keepsIncidents: true,
  minGapMs: 0,
  // 400: "event object is invalid"; the same event would be refused for ever.
  refusesForGood: ({ status }) => status === 400,
  request: ({ url, routingKey }, alert, context) => ({
    url,
    headers: JSON_HEADERS,
    body: JSON.stringify({
      routing_key: routingKey,
      event_action: ACTION[ALERT_TABLE[alert.type].status],
      dedup_key: cut(alert.incident, MAX_KEY),
      client: 'pointsman',
      links: [{ href: runbookOf(alert, context), text: `Runbook: ${alert.type}` }].filter(({ href }) => isUrl(href)),
      payload: payload(alert, context.runbookUrl),
    }),
  }),
};

const payload = (alert: Alert, runbookUrl: string) => ({
  summary: cut(`${titleOf(alert)}: ${alert.reason}`, MAX_SUMMARY),
  source: 'pointsman',
  severity: ALERT_TABLE[alert.type].severity,
  timestamp: alert.at,
  component: 'kafka',
  group: alert.group,
  class: alert.type,
  custom_details: { ...alert, runbook: `${runbookUrl}/${alert.type}.md` },
});

const isUrl = (text: string): boolean => /^https?:\/\//.test(text);
