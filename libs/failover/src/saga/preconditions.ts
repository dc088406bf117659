import type { ClusterName } from '#health';
import { findBlockers } from '../matrix/blockers.js';
import { connectorFailureText } from '../matrix/connector-failure.js';
import type { BlockerName, Policy, Snapshot } from '../matrix/facts.js';
import { fitnessOf } from '../matrix/fitness.js';
import { flowBetween } from '../matrix/lag.js';
import { type Situation, situationOf } from '../matrix/situation.js';
import type { SagaKind } from './types.js';

/** A reason why a planned act is not begun, and the call or the event that lifts it. */
export type Refusal = Readonly<{ name: string; detail: string; liftedBy: string }>;

export type PlannedQuestion = Readonly<{
  kind: Extract<SagaKind, 'switchover' | 'failback'>;
  target: ClusterName;
  /** Of the group, by the configuration. */
  flows: readonly Readonly<{ from: ClusterName; to: ClusterName }>[];
  principals: readonly string[];
  /** Where the last switch came from; null: there was none. A failback leads there and nowhere else. */
  home: ClusterName | null;
  acceptUnfencedSource: boolean;
}>;

type Asked = Readonly<{ situation: Situation; question: PlannedQuestion }>;
type Rule = Readonly<{
  name: string;
  found: (a: Asked) => string | null;
  liftedBy: (a: Asked) => string;
}>;

const group = ({ situation }: Asked): string => situation.snapshot.group.name;
const flow = ({ situation: { snapshot, source, target } }: Asked) =>
  target === null ? null : flowBetween(snapshot, source.name, target.name);

const OWN: readonly Rule[] = [
  {
    name: 'WRONG_TARGET',
    found: ({ situation: { source, target }, question }) => {
      if (question.target === source.name) return `${question.target} is active already`;
      return question.target === target?.name ? null : `${question.target} is not the other cluster of the group`;
    },
    liftedBy: (a) => `pointsman status names the clusters of ${group(a)}`,
  },
  {
    name: 'NOTHING_TO_GO_BACK_TO',
    found: ({ question }) => {
      if (question.kind !== 'failback') return null;
      if (question.home === null) return 'the ledger holds no switch of this group';
      return question.home === question.target ? null : `the last switch came from ${question.home}`;
    },
    liftedBy: (a) => `pointsman switchover ${group(a)} --to ${a.question.target}`,
  },
  {
    name: 'NO_FLOW_BACK',
    found: ({ situation: { source, target }, question }) => {
      const has = (from: string, to: string | undefined): boolean =>
        question.flows.some((f) => f.from === from && f.to === to);
      const missing = [
        ...(has(source.name, target?.name) ? [] : [`${source.name}→${target?.name ?? '?'}`]),
        ...(target !== null && has(target.name, source.name) ? [] : [`${target?.name ?? '?'}→${source.name}`]),
      ];
      return missing.length === 0 ? null : `no flow ${missing.join(' and ')} is configured`;
    },
    liftedBy: () => 'configure both directions; the idle one is created STOPPED',
  },
  {
    name: 'SAGA_OPEN',
    found: ({ situation: { snapshot } }) =>
      snapshot.group.openSaga === null ? null : `saga ${snapshot.group.openSaga.id} is open`,
    liftedBy: ({ situation: { snapshot } }) =>
      `its end, or pointsman abort ${snapshot.group.openSaga?.id ?? ''} --reason "…"`,
  },
  {
    name: 'FROZEN',
    found: ({ situation: { snapshot } }) => snapshot.group.frozen,
    liftedBy: (a) => `pointsman ack ${group(a)} --reason "…"`,
  },
  {
    name: 'SOURCE_NOT_FIT',
    found: ({ situation: { verdict, sourceSeats } }) => {
      const { reasons } = fitnessOf(sourceSeats, false);
      const said = verdict.name === 'UP' ? reasons : [`its verdict is ${verdict.name}`, ...reasons];
      return said.length === 0 ? null : said.join('; ');
    },
    liftedBy: ({ situation: { source } }) => `${source.name} recovers; a dead source is a matter of failover`,
  },
  {
    name: 'LINK_CUT',
    found: ({ situation: { verdicts, source, target } }) => {
      const between = new Set([source.idc, target?.idc]);
      const cut = Object.values(verdicts)
        .flatMap((v) => v.cutPairs)
        .filter(([from, to]) => between.has(from) && between.has(to));
      return cut.length === 0 ? null : cut.map(([from, to]) => `${from} cannot reach ${to}`).join(', ');
    },
    liftedBy: () => 'the link is mended',
  },
  {
    name: 'LAG_OVER_BUDGET',
    found: ({ situation: { lagNow } }) => (lagNow.over ? `lag ${lagNow.text}` : null),
    liftedBy: () => 'the copy catches up: nothing may be lost in a planned switch, so no acceptance counts here',
  },
  {
    name: 'LAG_UNKNOWN',
    found: ({ situation: { lagNow } }) => (lagNow.basis === 'unknown' ? lagNow.text : null),
    liftedBy: () => 'the lag is known again: look at pointsman explain',
  },
  {
    name: 'FLOW_NOT_RUNNING',
    found: (a) => {
      const found = flow(a);
      if (found === null) return 'nothing is known of its connectors';
      const { sourceConnector, checkpointConnector, failures = [] } = found;
      if (sourceConnector === 'RUNNING' && checkpointConnector === 'RUNNING') return null;
      const states = `source connector ${sourceConnector}, checkpoint connector ${checkpointConnector}`;
      return [states, ...failures.map(connectorFailureText)].join('; ');
    },
    liftedBy: () => 'both connectors run',
  },
  {
    name: 'MAY_NOT_WRITE',
    found: ({ situation: { snapshot }, question }) => {
      const fencing = snapshot.clusterSettings[question.target]?.fencing;
      if (fencing?.authorizer !== true || fencing.denyByDefault !== true) return null;
      const missing = question.principals.filter((p) => !fencing.writers.includes(p));
      return missing.length === 0 ? null : `${missing.join(', ')} may not write on ${question.target}`;
    },
    liftedBy: ({ question }) => `grant WRITE on ${question.target}`,
  },
  {
    name: 'NO_FENCE_FOR_THE_WAY_BACK',
    found: ({ situation: { snapshot, source }, question }) => {
      if (question.acceptUnfencedSource) return null;
      const offers = snapshot.clusterSettings[source.name]?.fencing?.offers ?? [];
      if (offers.some((o) => o.usable && o.kind !== 'topic-config')) return null;
      const known = offers.map((o) => `${o.kind}: ${o.reason}`).join('; ');
      return `${source.name} offers neither an ACL fence nor a hook, so it could not be closed while fed from ${question.target}${known === '' ? '' : ` (${known})`}`;
    },
    liftedBy: ({ situation: { source } }) =>
      `an authorizer or a fence hook on ${source.name}, or a person accepts it open: --accept-unfenced-source`,
  },
];

/** Shared with the matrix: the same words for the same thing. */
const SHARED: readonly BlockerName[] = [
  'TARGET_NOT_FIT',
  'NOT_PUBLISHABLE',
  'FENCE_WOULD_COPY',
  'FLOW_NOT_DISJOINT',
  'FLOW_NOT_STEERABLE',
  'CONFIG_DRIFT',
];

/** Every reason at once; empty: it may begin. Pure, so that the dry run and the act cannot differ on one snapshot. */
export function plannedRefusals(snapshot: Snapshot, policy: Policy, question: PlannedQuestion): readonly Refusal[] {
  const situation = situationOf(snapshot, policy);
  const asked = { situation, question };
  const own = OWN.flatMap((rule) => {
    const detail = rule.found(asked);
    return detail === null ? [] : [{ name: rule.name, detail, liftedBy: rule.liftedBy(asked) }];
  });
  return [...own, ...findBlockers(SHARED, { situation, lag: situation.lagNow })];
}
