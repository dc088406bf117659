import { Webhook } from 'standardwebhooks';
import type { WebhookReceiver } from '../alerting.options.js';
import type { Alert } from '../../persistence/authority-store.port.js';

export type SendOutcome = Readonly<{ ok: true } | { ok: false; error: string }>;
export type SendAlert = (alert: Alert, signal: AbortSignal) => Promise<SendOutcome>;

const keyOf = (secret: string): Webhook =>
  secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' });

const message = (e: unknown): string => {
  if (!(e instanceof Error)) return String(e);
  return e.cause instanceof Error ? `${e.message}: ${e.cause.message}` : e.message;
};

/**
 * Sends one alert, signed by Standard Webhooks. The id is the alert's, the timestamp that of this attempt, the signature
 * covers both and the body. Redirects are not followed: the signed body must not travel to an address nobody configured.
 * Never throws; throws only at construction, for an unusable secret.
 */
export const webhookSender = (receiver: WebhookReceiver, timeoutMs: number): SendAlert => {
  const key = keyOf(receiver.secret);
  return async (alert, signal) => {
    const payload = JSON.stringify(alert);
    const at = new Date();
    try {
      const res = await fetch(receiver.url, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        headers: {
          'content-type': 'application/json',
          'user-agent': 'pointsman',
          'webhook-id': alert.id,
          'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
          'webhook-signature': key.sign(alert.id, at, payload),
        },
        body: payload,
      });
      await res.body?.cancel();
      if (res.ok) return { ok: true };
      const hint = res.status >= 300 && res.status < 400 ? ' (redirects are not followed)' : '';
      return { ok: false, error: `answered ${res.status}${hint}` };
    } catch (e) {
      return { ok: false, error: message(e) };
    }
  };
};
