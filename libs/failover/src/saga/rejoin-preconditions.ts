import type { ClusterName } from '#health';
import { situationOf } from '../matrix/situation.js';
import type { Policy, Snapshot } from '../matrix/facts.js';
import type { Refusal } from './preconditions.js';
import type { RejoinOrder } from './types.js';

export type RejoinQuestion = Readonly<{
  target: ClusterName; // the old side
  flows: readonly Readonly<{ from: ClusterName; to: ClusterName }>[];
  order: RejoinOrder;
  acceptUnfencedSource: boolean;
  /** The ledger knows the switch that left the old side. */
  switchKnown: boolean;
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
    found: ({ question }) => (question.switchKnown ? null : `the ledger holds no switch away from ${question.target}`),
    liftedBy: () => 'rebuild by hand: without S nobody can say where the copy goes on',
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
    name: 'REBUILD_BY_HAND',
    found: ({ question }) =>
      question.order.choice === 'rebuild' ? `topics of ${question.target} are not deleted by Pointsman` : null,
    liftedBy: (a) => `docs/rebuild.md, with the names of ${groupOf(a)}`,
  },
];

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
