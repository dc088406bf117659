import type { ClusterName } from '#health';
import { situationOf } from '../matrix/situation.js';
import type { Policy, Snapshot } from '../matrix/facts.js';
import type { Refusal } from './preconditions.js';
import type { RejoinOrder } from './types.js';

export type RejoinQuestion = Readonly<{
  target: ClusterName; // the old side
  flows: readonly Readonly<{ from: ClusterName; to: ClusterName; naming: 'identity' | 'default' }>[];
  order: RejoinOrder;
  acceptUnfencedSource: boolean;
  /** The ledger knows the switch that left the old side and made the active cluster active. */
  switchKnown: boolean;
  /** What only the old side holds was counted, or found to be uncountable, and told. */
  tailTold: boolean;
  /** An earlier rebuild has begun to delete its topics and did not end: the log that the other choices speak of is gone. */
  rebuildBegun: boolean;
}>;

type Asked = Readonly<{ snapshot: Snapshot; answers: boolean; question: RejoinQuestion }>;
type Rule = Readonly<{ name: string; found: (a: Asked) => string | null; liftedBy: (a: Asked) => string }>;

const groupOf = ({ snapshot }: Asked): string => snapshot.group.name;

const RULES: readonly Rule[] = [
  {
    name: 'NOTHING_TO_REJOIN',
    found: ({ snapshot, question }) =>
      snapshot.group.rejoin.includes(question.target)
        ? null
        : `${question.target || 'no cluster'} is not waiting to rejoin`,
    liftedBy: (a) => `pointsman status ${groupOf(a)} names the clusters that wait`,
  },
  {
    name: 'SWITCH_NOT_KNOWN',
    found: ({ question: { switchKnown, order, target }, snapshot }) =>
      switchKnown || order.choice === 'rebuild'
        ? null
        : `the ledger does not hold the switch that left ${target} for ${snapshot.group.active}`,
    liftedBy: (a) =>
      `pointsman rejoin ${groupOf(a)} --choice rebuild: without S nobody can say what only ${a.question.target} holds, ` +
      'so read from it first what you need',
  },
  {
    name: 'SAGA_OPEN',
    found: ({ snapshot }) => (snapshot.group.openSaga === null ? null : `saga ${snapshot.group.openSaga.id} is open`),
    liftedBy: ({ snapshot }) => `its end, or pointsman abort ${snapshot.group.openSaga?.id ?? ''} --reason "…"`,
  },
  {
    name: 'FROZEN',
    found: ({ snapshot }) => snapshot.group.frozen,
    liftedBy: (a) => `pointsman ack ${groupOf(a)} --reason "…"`,
  },
  {
    name: 'OLD_SIDE_SILENT',
    found: ({ answers, question }) => (answers ? null : `${question.target} does not answer its observers yet`),
    liftedBy: ({ question }) => `${question.target} answers`,
  },
  {
    name: 'NO_FLOW_BACK',
    found: ({ snapshot, question }) => {
      const has = (from: string, to: string): boolean => question.flows.some((f) => f.from === from && f.to === to);
      const { active } = snapshot.group;
      return has(active, question.target) ? null : `no flow ${active}→${question.target} is configured`;
    },
    liftedBy: () => 'configure both directions; the idle one is created STOPPED',
  },
  {
    name: 'NO_FENCE_FOR_THE_WAY_BACK',
    found: ({ snapshot, question }) => {
      if (question.acceptUnfencedSource) return null;
      const offers = snapshot.clusterSettings[question.target]?.fencing?.offers ?? [];
      if (offers.some((o) => o.usable && o.kind !== 'topic-config')) return null;
      return `${question.target} offers neither an ACL fence nor a hook, so it could not be closed while it is fed`;
    },
    liftedBy: ({ question }) =>
      `an authorizer or a fence hook on ${question.target}, or a person accepts it open: --accept-unfenced-source`,
  },
  {
    name: 'REBUILD_BEGUN',
    found: ({ question: { rebuildBegun, order, target } }) =>
      rebuildBegun && order.choice !== 'rebuild' ? `a rebuild of ${target} has begun and did not end` : null,
    liftedBy: (a) => `pointsman rejoin ${groupOf(a)} --choice rebuild goes on with it`,
  },
  ofRebuild({
    name: 'CLUSTER_NOT_NAMED',
    found: ({ question: { order, target } }) =>
      order.confirm === target ? null : `the group's topics on ${target} would be deleted; ${named(order.confirm)}`,
    liftedBy: ({ question }) => `--confirm=${question.target}`,
  }),
  ofRebuild({
    name: 'TAIL_NOT_TOLD',
    // After break-glass or a restored store there is no S to count from: it will never be told.
    found: ({ question: { tailTold, switchKnown, target } }) =>
      tailTold || !switchKnown ? null : `what only ${target} holds is not counted yet`,
    liftedBy: (a) =>
      `pointsman tail ${groupOf(a)} shows it, some seconds after ${a.question.target} is back and closed`,
  }),
  ofRebuild({
    name: 'NAMES_NOT_KEPT',
    found: ({ question: { flows, target }, snapshot }) => {
      const back = flows.find((f) => f.from === snapshot.group.active && f.to === target);
      if (back?.naming !== 'default') return null;
      return `${back.from}→${target} copies into topics of other names: those of ${target} could not be filled`;
    },
    liftedBy: () => 'docs/rebuild.md by hand; only IdentityReplicationPolicy brings records back under their own names',
  }),
];

/** Only asked where topics are to be deleted. */
function ofRebuild(rule: Rule): Rule {
  return { ...rule, found: (a) => (a.question.order.choice === 'rebuild' ? rule.found(a) : null) };
}

const named = (confirm: ClusterName | null): string =>
  confirm === null ? 'nobody named it' : `${confirm} was named instead`;

/** Every reason at once; empty: it may begin. Pure, so that the dry run and the act cannot differ on one snapshot. */
export function rejoinRefusals(snapshot: Snapshot, policy: Policy, question: RejoinQuestion): readonly Refusal[] {
  const { verdicts } = situationOf(snapshot, policy);
  const name = verdicts[question.target]?.name;
  const asked: Asked = { snapshot, question, answers: name === 'UP' || name === 'DEGRADED' };
  return RULES.flatMap((rule) => {
    const detail = rule.found(asked);
    return detail === null ? [] : [{ name: rule.name, detail, liftedBy: rule.liftedBy(asked) }];
  });
}
