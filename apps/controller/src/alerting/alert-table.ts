import type { AlertKind } from '../persistence/alerts.port.js';

export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What an alert says of its incident: it goes on, somebody has it, it is over. */
export type AlertStatus = 'firing' | 'acknowledged' | 'resolved';

type Traits = Readonly<{ severity: Severity; status: AlertStatus; means: string }>;

/** Every alert there is: docs/runbooks/README.md is made from this table, routes and receivers read it. */
export const ALERT_TABLE = {
  suspected: {
    severity: 'critical',
    status: 'firing',
    means: 'A row that can end in a failover matches; its window is filling',
  },
  held: {
    severity: 'critical',
    status: 'firing',
    means: 'The window is full and something stands in the way; it names what, and the call that lifts it',
  },
  acting: { severity: 'critical', status: 'firing', means: 'A saga begins to move the group' },
  completed: {
    severity: 'info',
    status: 'resolved',
    means: 'The group was moved; the new active cluster is published',
  },
  compensated: {
    severity: 'critical',
    status: 'firing',
    means: 'The saga walked back before publishing; nothing was moved',
  },
  needs_operator: {
    severity: 'critical',
    status: 'firing',
    means: 'A person must decide: a proposal waits for a yes, or a saga cannot go on by itself',
  },
  blind: { severity: 'critical', status: 'firing', means: 'Too few observers are heard to judge; nothing is moved' },
  link_cut: {
    severity: 'warning',
    status: 'firing',
    means: 'Two IDCs do not reach each other; nothing is moved',
  },
  observer_lost: {
    severity: 'warning',
    status: 'firing',
    means: 'An expected observer is silent: one more loss is blindness',
  },
  dr_not_ready: {
    severity: 'warning',
    status: 'firing',
    means: 'A failover now would not be safe; each missing part is named',
  },
  frozen: { severity: 'critical', status: 'firing', means: 'Nothing is moved until a person acknowledges' },
  active_fenced: {
    severity: 'critical',
    status: 'firing',
    means: 'The active cluster is closed to writers; it is being opened',
  },
  local_fault: {
    severity: 'warning',
    status: 'firing',
    means: 'One agent alone finds its cluster down: it is suspect',
  },
  degraded: { severity: 'warning', status: 'firing', means: 'Part of the active cluster is down; Kafka heals itself' },
  misconfigured: {
    severity: 'warning',
    status: 'firing',
    means: 'Errors of configuration (DNS, TLS, authorisation) or both flows running',
  },
  old_primary_back: {
    severity: 'warning',
    status: 'firing',
    means: 'The cluster that was left answers again; it stays fenced until it is rejoined',
  },
  acknowledged: { severity: 'info', status: 'acknowledged', means: 'A person has looked' },
  resolved: { severity: 'info', status: 'resolved', means: 'What the incident told of no longer holds' },
  test: { severity: 'info', status: 'firing', means: '`pointsman alert test`' },
} as const satisfies Readonly<Record<AlertKind, Traits>>;

const RANK: Readonly<Record<Severity, number>> = { critical: 2, warning: 1, info: 0 };

/** Everything else that a failover's story tells under the same incident. */
const FAILOVER: readonly AlertKind[] = ['suspected', 'held', 'acting', 'compensated', 'needs_operator'];

/** What the incident told before this alert, as far as it is known: a closing goes where its beginning went. */
export function storyOf({
  type,
  of = [],
}: Readonly<{ type: AlertKind; of?: readonly AlertKind[] }>): readonly AlertKind[] {
  return type === 'completed' || type === 'compensated' ? [type, ...FAILOVER] : [type, ...of];
}

/** The severity by which an alert is routed: the highest of its story. */
export function routedSeverity(alert: Readonly<{ type: AlertKind; of?: readonly AlertKind[] }>): Severity {
  const all: Severity[] = storyOf(alert).map((kind) => ALERT_TABLE[kind].severity);
  return all.reduce((worst, each) => (RANK[each] > RANK[worst] ? each : worst));
}
