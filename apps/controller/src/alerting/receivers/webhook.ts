import { Webhook } from 'standardwebhooks';
import type { WebhookReceiver } from '../alerting.options.js';
import type { ReceiverFormat } from './format.js';
import { JSON_HEADERS } from './format.js';

/** Throws for an unusable secret: asked once at start. */
export const webhookKey = (secret: string): Webhook =>
  secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' });

/**
 * Standard Webhooks: the id is the alert's, the timestamp that of this attempt, the signature covers both and the body.
 * While keys are rotated there are two signatures, and a receiver takes the message if it knows either key.
 */
export const webhookFormat: ReceiverFormat<WebhookReceiver> = {
  keepsIncidents: false,
  minGapMs: 0,
  refusesForGood: () => false,
  request: ({ url, secret, alsoSecret }, alert, { nowMs }) => {
    const body = JSON.stringify(alert);
    const at = new Date(nowMs);
    const keys = [secret, ...(alsoSecret == null ? [] : [alsoSecret])].map(webhookKey);
    return {
      url,
      body,
      headers: {
        ...JSON_HEADERS,
        'webhook-id': alert.id,
        'webhook-timestamp': String(Math.floor(nowMs / 1000)),
        'webhook-signature': keys.map((key) => key.sign(alert.id, at, body)).join(' '),
      },
    };
  },
};
