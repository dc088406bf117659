import type { Alert } from '../../persistence/alerts.port.js';
import { ALERT_TABLE } from '../alert-table.js';
import type { SlackReceiver } from '../alerting.options.js';
import { cut, JSON_HEADERS, runbookOf, titleOf, type FormatContext, type ReceiverFormat } from './format.js';

/** Limits of Block Kit: https://docs.slack.dev/reference/block-kit/blocks */
const MAX_HEADER = 150;
const MAX_SECTION = 3000;

const SIGN = { critical: '🔴', warning: '🟠', info: '🟢' } as const;

/** Slack's incoming webhooks: one message per second and channel. `text` is what a notification shows. */
export const slackFormat: ReceiverFormat<SlackReceiver> = {
  keepsIncidents: false,
  minGapMs: 1_000,
  // invalid_payload, no_service, channel_is_archived and their like: the same message would be refused for ever.
  refusesForGood: ({ status }) => status === 400 || status === 403 || status === 404 || status === 410,
  request: ({ url }, alert, context) => ({
    url,
    headers: JSON_HEADERS,
    body: JSON.stringify({
      text: cut(escaped(`${headline(alert)}: ${alert.reason}`), MAX_SECTION),
      blocks: blocks(alert, context),
    }),
  }),
};

const headline = (alert: Alert): string => `${SIGN[ALERT_TABLE[alert.type].severity]} ${titleOf(alert)}`;

/** Slack reads these three as markup. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text: cut(text, MAX_SECTION) } });

function blocks(alert: Alert, context: FormatContext) {
  const lifts = alert.blockers.map(({ name, liftedBy }) => `• *${escaped(name)}*: ${escaped(liftedBy)}`);
  const row = alert.row === null ? '' : `row ${alert.row} · `;
  const foot = `${row}epoch ${alert.epoch} · term ${alert.term} · incident ${alert.incident} · ${alert.id} · ${runbookOf(alert, context)}`;
  return [
    { type: 'header', text: { type: 'plain_text', text: cut(headline(alert), MAX_HEADER) } },
    section(escaped(alert.reason)),
    ...(lifts.length === 0 ? [] : [section(lifts.join('\n'))]),
    { type: 'context', elements: [{ type: 'mrkdwn', text: cut(escaped(foot), MAX_SECTION) }] },
  ];
}
