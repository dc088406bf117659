import { ALERT_TYPES } from '#failover';
import { duration } from '#platform';
import { z } from 'zod';
import { SEVERITIES } from '../alerting/alert-table.js';
import { FOLLOW_UP_TYPES } from '../persistence/alerts.port.js';
import { name } from './names.js';

/** Where alerts go. Secrets (also URLs that are one) only by file. */

const events = () => z.array(z.enum([...ALERT_TYPES, ...FOLLOW_UP_TYPES])).default([]); // empty: all

const webhook = z.strictObject({
  name: name(),
  url: z.url(),
  secretFile: z.string(),
  alsoSecretFile: z.string().optional(), // the other key while keys are rotated
  events: events(),
});

const pagerduty = z.strictObject({
  name: name(),
  url: z.url().default('https://events.pagerduty.com/v2/enqueue'),
  routingKeyFile: z.string(),
  events: events(),
});

const alertmanager = z.strictObject({ name: name(), url: z.url(), events: events() });
const slack = z.strictObject({ name: name(), urlFile: z.string(), events: events() });

const route = z.strictObject({
  severities: z.array(z.enum(SEVERITIES)).default([]), // empty: all
  events: events(),
  to: z.array(name()).min(1),
  second: z.array(name()).default([]), // the second channel
  after: z.int().min(1).max(100).default(3), // failed attempts of a receiver in `to`
});

export const alertsSchema = z
  .strictObject({
    webhooks: z.array(webhook).default([]),
    pagerduty: z.array(pagerduty).default([]),
    alertmanager: z.array(alertmanager).default([]),
    slack: z.array(slack).default([]),
    routes: z.array(route).default([]),
    allowPrivate: z.array(z.string().min(1)).default([]),
    redis: z.strictObject({ urlFile: z.string(), prefix: name().default('pointsman') }).optional(),
    heartbeat: z.strictObject({ urlFile: z.string(), every: duration().default(60_000) }).optional(),
    runbookUrl: z.url().optional(),
  })
  .prefault({});

export type RawAlerts = z.output<typeof alertsSchema>;
