import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Alert, AlertKind } from '../../persistence/alerts.port.js';
import { ALERT_TABLE } from '../alert-table.js';
import type { Receiver } from '../alerting.options.js';
import { requestFor } from './formats.js';
import { pagerDutyEvent, slackMessage } from './receiver-rules.conformance.js';

const NOW = Date.parse('2026-11-20T14:03:00.000Z');
const KINDS = Object.keys(ALERT_TABLE) as readonly AlertKind[];
const alert = (type: AlertKind, more: Partial<Alert> = {}): Alert => ({
  ...{ id: 'al_1', incident: 'orders-7-failover-1', type, group: 'orders', row: 410, reason: 'a is <silent> & dark' },
  blockers: [{ name: 'COOLDOWN', liftedBy: 'pointsman ack orders --reason "…"' }],
  ...{ term: 1, epoch: 7, at: '2026-11-20T14:02:31.000Z', ...more },
});
const sent = (receiver: Receiver, a: Alert) => {
  const request = requestFor(receiver, a, { nowMs: NOW, runbookUrl: 'https://runbooks.example' });
  return { ...request, json: JSON.parse(request.body) as unknown };
};

const LONG = { reason: 'x'.repeat(5_000) };

describe('PagerDuty', () => {
  const receiver: Receiver = {
    ...{ kind: 'pagerduty', name: 'pd', url: 'https://events.pagerduty.com/v2/enqueue', events: null },
    routingKey: 'f'.repeat(32),
  };

  it.each(KINDS)('takes %s by its schema', (kind) => {
    for (const more of [{}, LONG]) pagerDutyEvent.parse(sent(receiver, alert(kind, more)).json);
  });

  it('hears one story under one key: triggered, acknowledged, resolved', () => {
    const story: readonly AlertKind[] = ['suspected', 'held', 'acknowledged', 'acting', 'completed'];
    const events = story.map((kind) => pagerDutyEvent.parse(sent(receiver, alert(kind)).json));
    expect(events.map((e) => e.event_action)).toEqual(['trigger', 'trigger', 'acknowledge', 'trigger', 'resolve']);
    expect(new Set(events.map((e) => e.dedup_key))).toEqual(new Set(['orders-7-failover-1']));
  });
});

describe('Slack', () => {
  const receiver: Receiver = { kind: 'slack', name: 'chat', url: 'https://hooks.slack.com/services/x', events: null };

  it.each(KINDS)('takes %s within the limits of its blocks', (kind) => {
    for (const more of [{}, LONG]) slackMessage.parse(sent(receiver, alert(kind, more)).json);
  });

  it('shows what lifts a blocker, and reads nothing of ours as its markup', () => {
    const { body } = sent(receiver, alert('held'));
    expect(body).toContain('a is &lt;silent&gt; &amp; dark');
    expect(body).toContain('*COOLDOWN*: pointsman ack orders');
  });
});

describe('Alertmanager', () => {
  const receiver: Receiver = { kind: 'alertmanager', name: 'am', url: 'http://127.0.0.1:9093/', events: null };
  const post = z.tuple([
    z.strictObject({
      labels: z.record(z.string().regex(/^[a-zA-Z_]\w*$/), z.string()),
      annotations: z.record(z.string(), z.string()),
      startsAt: z.iso.datetime(),
      endsAt: z.iso.datetime(),
    }),
  ]);

  it('gets the labels of the incident, whatever it tells, and an end in the future until it is over', () => {
    const told = (kind: AlertKind) => post.parse(sent(receiver, alert(kind)).json)[0];
    const story = (['suspected', 'acting', 'completed'] as const).map(told);
    expect(new Set(story.map((a) => JSON.stringify(a.labels))).size).toBe(1);
    expect(story[0]?.labels).toMatchObject({ alertname: 'PointsmanFailover', severity: 'critical' });
    expect(story.map((a) => Date.parse(a.endsAt) > NOW)).toEqual([true, true, false]);
    for (const each of story) expect(Date.parse(each.startsAt)).toBeLessThan(Date.parse(each.endsAt));
    expect(sent(receiver, alert('held')).url).toBe('http://127.0.0.1:9093/api/v2/alerts');
  });
});

describe('a signed webhook', () => {
  const [now, next] = ['whsec_c2VjcmV0LW5vdy1zZWNyZXQtbm93', 'whsec_c2VjcmV0LW5leHQtc2VjcmV0LW5leHQ='];

  it('is taken with either key while they are rotated, by the public library', () => {
    const receiver: Receiver = {
      ...{ kind: 'webhook', name: 'hook', url: 'https://w.example', secret: now, alsoSecret: next, events: null },
    };
    const at = Date.now();
    const { headers, body } = requestFor(receiver, alert('acting'), { nowMs: at, runbookUrl: 'x' });
    for (const key of [now, next]) expect(new Webhook(key).verify(body, headers)).toEqual(alert('acting'));
    expect(() => new Webhook('whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXI=').verify(body, headers)).toThrow(/signature/i);
  });
});
