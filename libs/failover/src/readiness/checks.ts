import type { Ms } from '#health';
import { BLOCKERS, findBlockers } from '../matrix/blockers.js';
import { situationOf } from '../matrix/situation.js';
import { CLUSTER_CHECKS } from './cluster-checks.js';
import { topicLines } from './compare.js';
import { connectorLines, refreshText } from './connector-rules.js';
import { bad, ok, seconds } from './finding.js';
import { FLOW_CHECKS } from './flow-checks.js';
import type { Check, Finding } from './types.js';

const ALL_BLOCKERS = BLOCKERS.map((b) => b.name);
const CANARY_OLD_MS: Ms = 25_000;

/** Everything that is looked at, in the order in which lines of one level are told. */
export const CHECKS: readonly Check[] = [
  {
    // Whatever the matrix would be held up by: target not fit, lag over budget or unknown, drift, placement, ...
    id: 'failover-blocked',
    look: ({ snapshot, policy }) => {
      const situation = situationOf(snapshot, policy);
      const blockers = findBlockers(ALL_BLOCKERS, { situation, lag: situation.lagNow });
      return blockers.length === 0
        ? ok('nothing would hold up a failover')
        : blockers.map((b) => ({ level: 'blocker', what: `${b.name}: ${b.detail}`, fix: b.liftedBy }));
    },
  },
  {
    id: 'config-center-writable',
    look: ({ snapshot: { configCenter } }) => {
      const { writableAgeMs, error } = configCenter;
      const fix = 'mend the authoritative config center, or name another first in publishTo';
      if (error !== null) return bad('blocker', `the config center does not take writes: ${error}`, fix);
      if (writableAgeMs === null) return bad('unknown', 'no write to the config center was tried yet', 'wait 10 s');
      if (writableAgeMs > CANARY_OLD_MS) return bad('blocker', `last write ${seconds(writableAgeMs)} ago`, fix);
      return ok(`the config center took a write ${seconds(writableAgeMs)} ago`);
    },
  },
  ...FLOW_CHECKS,
  ...CLUSTER_CHECKS,
  {
    id: 'consumer-positions',
    look: ({ consumerGroups, consumers }, sides) =>
      consumerGroups.flatMap((group): readonly Finding[] => {
        const { active, standby } = sides;
        const known = (c: string | null) =>
          consumers.some((x) => x.cluster === c && x.consumerGroup === group && x.lagRecords !== null);
        if (!known(active)) return [];
        if (known(standby)) return ok(`${group} has a position on ${standby}`);
        return bad(
          'warn',
          `${group} has no position on ${standby}`,
          `${refreshText(sides, 'groups')}; else its name is not in the connectors' ` +
            '`groups`, or sync.group.offsets.enabled is not true',
        );
      }),
  },
  {
    id: 'client-settings',
    look: ({ clients }) => {
      if (clients === null) return bad('unknown', 'client reports could not be read', 'look at the config center');
      const distinct = [...new Set(clients.warnings)].slice(0, 20);
      return distinct.map((what) => ({ level: 'warn', what, fix: 'change it in the service' }));
    },
  },
  { id: 'topics-equal', look: (_, sides) => topicLines(sides) },
  { id: 'connector-config', look: (_, sides) => connectorLines(sides) },
];
