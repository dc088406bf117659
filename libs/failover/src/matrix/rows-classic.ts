import type { BlockerName } from './facts.js';
import { CLASSIC_RULES, CLASSIC_UNHEALTHY_ROW, classicHealthy, classicMetrics, type ClassicRule } from './classic.js';
import { verdictIs } from './clauses.js';
import type { Clause, Row } from './row.js';

/** The seed had no budget and no fence; what would leave the group without any cluster still blocks. */
const CLASSIC_BLOCKERS: readonly BlockerName[] = [
  'TARGET_NOT_FIT',
  'NOT_PUBLISHABLE',
  'COOLDOWN',
  'FLAPPING',
  'NOT_ARMED',
  'FLOW_NOT_DISJOINT',
  'FLOW_NOT_STEERABLE',
  'STORE_NOT_SURVIVABLE',
  'CONFIG_DRIFT',
  'PROPOSAL_CLOSED',
];

const clause = (rule: ClassicRule): Clause => ({ says: rule.name, holds: (s) => rule.holds(classicMetrics(s)) });

const unhealthy: Clause = {
  says: "the loop's health check fails: unreachable, no brokers, offline partitions, or lag of 60 s and more",
  holds: (s) => !classicHealthy(classicMetrics(s)),
};

const acting = (
  id: number,
  name: string,
  sentence: string,
  rule: ClassicRule,
  byHand: Row['byHand'] = 'dead',
): Row => ({
  id,
  name,
  sentence,
  when: [clause(rule)],
  window: 'classic',
  action: 'failover',
  actsOnlyIf: null,
  blockers: CLASSIC_BLOCKERS,
  alerts: [{ type: 'suspected', due: 'at-once' }],
  byHand,
  note: 'confirmed when the health check still fails after 30 s',
});

/**
 * Preset `classic`: the seed documents' rules on the same machinery. It moves on one reading and onto lagging copies,
 * so mode `auto` asks for `acceptRisk: split-brain-and-loss`.
 */
export const CLASSIC_ROWS: readonly Row[] = [
  {
    id: 120,
    name: 'Blind',
    sentence: 'too few observers can judge: this side may be the one that is cut off',
    when: [verdictIs('UNKNOWN')],
    window: null,
    action: 'hold',
    actsOnlyIf: null,
    blockers: [],
    alerts: [{ type: 'blind', due: 'at-once' }],
    byHand: 'unsure',
    note: 'the seed had one observer; without a reading it had no opinion either',
  },
  acting(1100, 'ClassicUnreachable', 'no observer reaches the active cluster', CLASSIC_RULES.unreachable),
  acting(1110, 'ClassicNoBrokers', 'the active cluster has no active brokers', CLASSIC_RULES.noBrokers),
  // A copy that lags is no reason to leave a source that serves: here the seed is followed by itself only, never by order.
  acting(1120, 'ClassicLag', 'the replication lag is above 300 s', CLASSIC_RULES.lag, 'serves'),
  acting(1130, 'ClassicOffline', 'the active cluster has offline partitions', CLASSIC_RULES.offline, 'faulty'),
  {
    id: CLASSIC_UNHEALTHY_ROW,
    name: 'ClassicUnhealthy',
    sentence: 'the replication lag is 60 s or more',
    when: [unhealthy],
    window: null,
    action: 'alert',
    actsOnlyIf: null,
    blockers: [],
    alerts: [{ type: 'degraded', due: 'held' }],
    byHand: 'serves',
    note: 'MONITOR: unhealthy, but no failover condition holds',
  },
  {
    id: 1800,
    name: 'ClassicMonitor',
    sentence: 'the active cluster is healthy',
    when: [],
    window: null,
    action: 'none',
    actsOnlyIf: null,
    blockers: [],
    alerts: [],
    byHand: 'serves',
    note: 'MONITOR: everything else',
  },
];
