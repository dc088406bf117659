import type { AlertKind } from '../persistence/alerts.port.js';
import type { Severity } from './alert-table.js';

type Common = Readonly<{
  name: string;
  /** Types that this receiver wants; null: all. */
  events: readonly AlertKind[] | null;
}>;

/** A receiver as configured; what is secret is already read from its file. */
export type WebhookReceiver = Common &
  Readonly<{
    kind: 'webhook';
    url: string;
    /** `whsec_` + base64 (Standard Webhooks), or any other text, taken as the raw key. */
    secret: string;
    /** The other key while keys are rotated: messages carry both signatures. */
    alsoSecret?: string | null;
  }>;
export type PagerDutyReceiver = Common & Readonly<{ kind: 'pagerduty'; url: string; routingKey: string }>;
/** `url`: the server's, without the path of its API. */
export type AlertmanagerReceiver = Common & Readonly<{ kind: 'alertmanager'; url: string }>;
/** `url`: an incoming webhook, a secret itself. */
export type SlackReceiver = Common & Readonly<{ kind: 'slack'; url: string }>;
export type Receiver = WebhookReceiver | PagerDutyReceiver | AlertmanagerReceiver | SlackReceiver;

/** Which receivers get what. All routes that match add up; an alert that none matches goes to every receiver. */
export type Route = Readonly<{
  severities: readonly Severity[] | null;
  events: readonly AlertKind[] | null;
  to: readonly string[];
  /** Told too, once a receiver of `to` failed `after` times. */
  second: readonly string[];
  after: number;
}>;

export type AlertingOptions = Readonly<{
  receivers: readonly Receiver[];
  routes?: readonly Route[];
  /** Hosts that may have private, link-local or loopback addresses (a loopback address written in the URL may anyway). */
  allowPrivate?: readonly string[];
  /** BullMQ's Redis; null: alerts are carried in this process. */
  redis?: Readonly<{ url: string; prefix: string }> | null;
  /** Told at each interval while this controller leads: its silence is an alert. */
  heartbeat?: Readonly<{ url: string; everyMs: number }> | null;
  /** Where people find this installation's runbooks; links in alerts begin with it. */
  runbookUrl?: string;
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
  /** A delivery given to Redis of which nothing was seen for this long past its time is carried in this process. */
  takeOverMs?: number;
  /** How long Redis may take for one answer. */
  redisAnswerMs?: number;
  /** How often a firing incident is told to Alertmanagers again; they forget what is not repeated. */
  repeatMs?: number;
}>;

export type CompiledAlertingOptions = Required<AlertingOptions>;

/** Fills the defaults: 0/1/5/15/60 s, then every 5 min; 300 attempts are a little more than a day. */
export const compileAlertingOptions = (o: AlertingOptions): CompiledAlertingOptions => ({
  routes: [],
  allowPrivate: [],
  redis: null,
  heartbeat: null,
  runbookUrl: DEFAULT_RUNBOOKS,
  timeoutMs: 5_000,
  pollMs: 1_000,
  retryDelaysMs: [1_000, 5_000, 15_000, 60_000],
  tailDelayMs: 300_000,
  maxAttempts: 300,
  maxQueued: 1_000,
  takeOverMs: 3_000,
  redisAnswerMs: 500,
  repeatMs: 60_000,
  ...o,
});

/** Relative on purpose: the runbooks lie in the product's own docs until a place is configured. */
const DEFAULT_RUNBOOKS = 'docs/runbooks';

export const ALERTING_OPTIONS = Symbol('AlertingOptions');
