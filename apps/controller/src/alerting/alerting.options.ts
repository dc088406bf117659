import type { AlertKind } from '../persistence/alerts.port.js';

/** One webhook receiver as configured; the secret is already read from its file. */
export type WebhookReceiver = Readonly<{
  name: string;
  url: string;
  /** `whsec_` + base64 (Standard Webhooks), or any other text, taken as the raw key. */
  secret: string;
  /** Types that this receiver wants; null: all. */
  events: readonly AlertKind[] | null;
}>;

export type AlertingOptions = Readonly<{
  receivers: readonly WebhookReceiver[];
  /** Whole request, answer included. */
  timeoutMs?: number;
  /** How often the leader looks into the outbox when nobody nudges it. */
  pollMs?: number;
  /** Waits before the second, third … attempt; after the last of them {@link tailDelayMs}, for ever until maxAttempts. */
  retryDelaysMs?: readonly number[];
  tailDelayMs?: number;
  maxAttempts?: number;
  /** Alerts held in memory per receiver; more stay in the outbox (direct ones: the oldest is dropped and logged). */
  maxQueued?: number;
}>;

export type CompiledAlertingOptions = Required<AlertingOptions>;

/** Fills the defaults: 0/1/5/15/60 s, then every 5 min; 300 attempts are a little more than a day. */
export const compileAlertingOptions = (o: AlertingOptions): CompiledAlertingOptions => ({
  timeoutMs: 5_000,
  pollMs: 1_000,
  retryDelaysMs: [1_000, 5_000, 15_000, 60_000],
  tailDelayMs: 300_000,
  maxAttempts: 300,
  maxQueued: 1_000,
  ...o,
});

export const ALERTING_OPTIONS = Symbol('AlertingOptions');
