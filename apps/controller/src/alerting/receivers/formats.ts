import type { Alert } from '../../persistence/alerts.port.js';
import type { Receiver } from '../alerting.options.js';
import { alertmanagerFormat } from './alertmanager.js';
import type { FormatContext, OutgoingRequest, ReceiverFormat } from './format.js';
import { pagerDutyFormat } from './pagerduty.js';
import { slackFormat } from './slack.js';
import { webhookFormat } from './webhook.js';

/** Every kind of receiver there is. */
export const FORMATS: { readonly [K in Receiver['kind']]: ReceiverFormat<Extract<Receiver, { kind: K }>> } = {
  webhook: webhookFormat,
  pagerduty: pagerDutyFormat,
  alertmanager: alertmanagerFormat,
  slack: slackFormat,
};

export function requestFor(receiver: Receiver, alert: Alert, context: FormatContext): OutgoingRequest {
  switch (receiver.kind) {
    case 'webhook':
      return FORMATS.webhook.request(receiver, alert, context);
    case 'pagerduty':
      return FORMATS.pagerduty.request(receiver, alert, context);
    case 'alertmanager':
      return FORMATS.alertmanager.request(receiver, alert, context);
    case 'slack':
      return FORMATS.slack.request(receiver, alert, context);
  }
}
