import { describe, expect, it } from 'vitest';
import type { Alert, AlertKind } from '../persistence/alerts.port.js';
import { ALERT_TABLE } from './alert-table.js';
import type { Receiver, Route } from './alerting.options.js';
import { receiversFor } from './routes.js';

const alert = (type: AlertKind, of?: readonly AlertKind[]): Alert => ({
  ...{ id: 'al', incident: 'i', type, group: 'orders', row: 410, reason: 'r', blockers: [] },
  ...{ term: 1, epoch: 7, at: '2026-11-20T14:02:31.000Z', ...(of === undefined ? {} : { of }) },
});
const pager: Receiver = { kind: 'pagerduty', name: 'pager', url: 'https://p.example', routingKey: 'k', events: null };
const chat: Receiver = { kind: 'slack', name: 'chat', url: 'https://s.example', events: null };
const hook: Receiver = { kind: 'webhook', name: 'hook', url: 'https://w.example', secret: 's', events: null };
const route = (more: Partial<Route>): Route => ({
  severities: null,
  events: null,
  to: [],
  second: [],
  after: 3,
  ...more,
});
const names = (a: Alert, routes: readonly Route[], receivers = [pager, chat, hook], known = KNOWN) =>
  receiversFor(a, { receivers, routes }, known).map((r) => r.name);
const KNOWN: readonly { receiver: string; attempts: number; deliveredAt: string | null; deadAt: string | null }[] = [];

describe('routes', () => {
  const routes = [
    route({ severities: ['critical'], to: ['pager'] }),
    route({ events: ['dr_not_ready', 'degraded'], to: ['chat'] }),
  ];

  it('without any, all get all that they want', () => {
    expect(names(alert('held'), [])).toEqual(['pager', 'chat', 'hook']);
    expect(names(alert('held'), [], [{ ...hook, events: ['acting'] }, chat])).toEqual(['chat']);
  });

  it('by severity and by event; what no route matches goes to everybody, so that nothing falls silent', () => {
    expect(names(alert('acting'), routes)).toEqual(['pager']);
    expect(names(alert('degraded'), routes)).toEqual(['chat']);
    expect(names(alert('link_cut'), routes)).toEqual(['pager', 'chat', 'hook']);
  });

  it('the end of a story goes where its beginning went', () => {
    expect(names(alert('completed'), routes)).toEqual(['pager']);
    expect(names(alert('resolved', ['dr_not_ready']), routes)).toEqual(['chat']);
    expect(names(alert('acknowledged', ['suspected', 'held']), routes)).toEqual(['pager']);
    const paged: Receiver = { ...pager, events: ['suspected'] };
    expect(names(alert('completed'), [], [paged, { ...chat, events: ['suspected'] }])).toEqual(['pager']);
    expect(names(alert('resolved', ['suspected']), [], [paged])).toEqual(['pager']);
    expect(names(alert('resolved', ['link_cut']), [], [paged])).toEqual([]);
  });

  it('the second channel is told once the first failed often enough, or was given up on', () => {
    const two = [route({ to: ['pager'], second: ['hook'], after: 2 })];
    const failed = (attempts: number, more = {}) => [
      { receiver: 'pager', attempts, deliveredAt: null, deadAt: null, ...more },
    ];
    expect(names(alert('acting'), two, undefined, failed(1))).toEqual(['pager']);
    expect(names(alert('acting'), two, undefined, failed(2))).toEqual(['pager', 'hook']);
    expect(names(alert('acting'), two, undefined, failed(1, { deadAt: 'x' }))).toEqual(['pager', 'hook']);
    expect(names(alert('acting'), two, undefined, failed(2, { deliveredAt: 'x' }))).toEqual(['pager']);
  });

  it('a test goes to all, whatever they want', () => {
    const deaf: Receiver = { ...hook, events: ['acting'] };
    expect(names(alert('test'), routes, [pager, deaf])).toEqual(['pager', 'hook']);
    expect(names(alert('resolved', ['test']), routes, [pager, deaf])).toEqual(['pager', 'hook']);
  });

  it('every alert says how bad it is and what it means', () => {
    for (const traits of Object.values(ALERT_TABLE)) expect(traits.means.length).toBeGreaterThan(10);
  });
});
