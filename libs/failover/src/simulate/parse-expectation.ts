import { BLOCKERS } from '../matrix/blockers.js';
import type { ActionName, AlertType } from '../matrix/facts.js';
import {
  durationOf,
  flagOf,
  listOf,
  maybe,
  numberOf,
  objectOf,
  oneOf,
  present,
  ScenarioError,
  textOf,
} from './read.js';
import type { Expectation } from './scenario.js';

const ACTIONS = [
  'none',
  'hold',
  'alert',
  'failover',
  'propose',
  'unfence',
  'start-rejoin',
] as const satisfies readonly ActionName[];

const ALERTS = [
  'suspected', 'held', 'acting', 'completed', 'compensated', 'needs_operator', 'blind', 'link_cut', 'observer_lost', 'dr_not_ready', 'frozen', 'active_fenced', 'local_fault', 'degraded', 'misconfigured', 'old_primary_back',
] as const satisfies readonly AlertType[]; // prettier-ignore

const KEYS = [
  'row',
  'action',
  'wouldDo',
  'gates',
  'blockers',
  'alerts',
  'noAlerts',
  'also',
  'verdict',
  'fit',
  'rows',
  'window',
  'acts',
];

/** `acts: {action: failover, between: [18s, 24s]}`; the action defaults to failover. */
function parseActs(value: unknown, path: string): NonNullable<Expectation['acts']> {
  const o = objectOf(value, path, ['action', 'between']);
  const [fromMs, toMs] = listOf(o['between'], `${path}.between`, durationOf);
  if (fromMs === undefined || toMs === undefined) throw new ScenarioError(`${path}.between`, 'expected [from, to]');
  return { action: maybe(o['action'], `${path}.action`, (v, p) => oneOf(v, p, ACTIONS)) ?? 'failover', fromMs, toMs };
}

export function parseExpectation(value: unknown, path: string): Expectation {
  const o = objectOf(value, path, KEYS);
  const action = (v: unknown, p: string): ActionName => oneOf(v, p, ACTIONS);
  const alerts = (v: unknown, p: string): readonly AlertType[] => listOf(v, p, (a, q) => oneOf(a, q, ALERTS));
  const numbers = (v: unknown, p: string): readonly number[] => listOf(v, p, numberOf);
  const blockerNames = BLOCKERS.map((b) => b.name);
  return present<Expectation>({
    row: maybe(o['row'], `${path}.row`, numberOf),
    action: maybe(o['action'], `${path}.action`, action),
    wouldDo: maybe(o['wouldDo'], `${path}.wouldDo`, action),
    gates: maybe(o['gates'], `${path}.gates`, (v, p) => listOf(v, p, textOf)),
    blockers: maybe(o['blockers'], `${path}.blockers`, (v, p) => listOf(v, p, (b, q) => oneOf(b, q, blockerNames))),
    alerts: maybe(o['alerts'], `${path}.alerts`, alerts),
    noAlerts: maybe(o['noAlerts'], `${path}.noAlerts`, alerts),
    also: maybe(o['also'], `${path}.also`, numbers),
    verdict: maybe(o['verdict'], `${path}.verdict`, textOf),
    fit: maybe(o['fit'], `${path}.fit`, flagOf),
    rows: maybe(o['rows'], `${path}.rows`, numbers),
    windowMs: maybe(o['window'], `${path}.window`, durationOf),
    acts: maybe(o['acts'], `${path}.acts`, parseActs),
  });
}
