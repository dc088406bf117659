import { readSecretFile } from '#platform';
import type { AlertingOptions, Receiver } from '../alerting/alerting.options.js';
import type { RawAlerts } from './alerts.schema.js';

/** Reads what is secret from its files: missing ones are told at start, not at the first alert. */
export function alertingOptions(alerts: RawAlerts): AlertingOptions {
  const { redis, heartbeat, runbookUrl } = alerts;
  return {
    receivers: receivers(alerts),
    routes: alerts.routes.map(({ severities, events, to, second, after }) => ({
      severities: orAll(severities),
      events: orAll(events),
      to,
      second,
      after,
    })),
    allowPrivate: alerts.allowPrivate,
    redis: redis === undefined ? null : { url: readSecretFile(redis.urlFile), prefix: redis.prefix },
    heartbeat: heartbeat === undefined ? null : { url: readSecretFile(heartbeat.urlFile), everyMs: heartbeat.every },
    ...(runbookUrl === undefined ? {} : { runbookUrl: runbookUrl.replace(/\/+$/, '') }),
  };
}

const receivers = (alerts: RawAlerts): readonly Receiver[] => [
  ...alerts.webhooks.map(({ name, url, secretFile, alsoSecretFile, events }): Receiver => ({
    kind: 'webhook',
    name,
    url,
    secret: readSecretFile(secretFile),
    alsoSecret: alsoSecretFile === undefined ? null : readSecretFile(alsoSecretFile),
    events: orAll(events),
  })),
  ...alerts.pagerduty.map(({ name, url, routingKeyFile, events }): Receiver => ({
    kind: 'pagerduty',
    name,
    url,
    routingKey: readSecretFile(routingKeyFile),
    events: orAll(events),
  })),
  ...alerts.alertmanager.map(({ name, url, events }): Receiver => ({
    kind: 'alertmanager',
    name,
    url,
    events: orAll(events),
  })),
  ...alerts.slack.map(({ name, urlFile, events }): Receiver => ({
    kind: 'slack',
    name,
    url: readSecretFile(urlFile),
    events: orAll(events),
  })),
];

const orAll = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : list);
