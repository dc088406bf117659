import { answers } from '#health';
import type { Decision, Snapshot } from '../matrix/facts.js';
import type { ProposalFacts } from './proposal.js';

export type ProposalStep = Readonly<{ do: 'open' | 'expire' | 'withdraw' | 'forget'; reason: string }>;

type Seen = Readonly<{ snapshot: Snapshot; decision: Decision; proposal: ProposalFacts | null }>;
type Rule = Readonly<{ do: ProposalStep['do']; reason: string; when: (s: Seen) => boolean }>;

const isOpen = ({ proposal }: Seen): boolean => proposal?.state === 'open';
const byMatrix = (s: Seen): boolean => isOpen(s) && s.proposal?.origin === 'matrix';

/** Silence is not recovery: only a fresh answer of S shows that what was proposed against is over. */
const conditionGone = ({ snapshot, decision }: Seen): boolean =>
  snapshot.graceOver &&
  decision.wouldDo !== 'propose' &&
  Object.values(snapshot.votes[snapshot.group.active] ?? {}).some(answers);

/** What becomes of the group's proposal at a tick; first match, none: it stays as it is. */
const RULES: readonly Rule[] = [
  {
    do: 'expire',
    reason: 'nobody decided in time',
    when: (s) => isOpen(s) && (s.proposal?.expiresInMs ?? 0) <= 0,
  },
  {
    do: 'withdraw',
    reason: 'the group has moved on',
    when: (s) =>
      isOpen(s) && (s.proposal?.epoch !== s.snapshot.group.epoch || s.proposal.source !== s.snapshot.group.active),
  },
  {
    do: 'withdraw',
    reason: 'the mode changed',
    when: (s) => byMatrix(s) && (s.snapshot.group.mode === 'observe' || s.decision.wouldDo === 'failover'),
  },
  {
    do: 'withdraw',
    reason: 'the active cluster is not what it was when this was asked for: what is due now is proposed instead',
    when: (s) =>
      isOpen(s) && s.proposal?.origin === 'person' && s.proposal.act !== 'failover' && s.decision.action === 'propose',
  },
  { do: 'withdraw', reason: 'the condition is over', when: (s) => byMatrix(s) && conditionGone(s) },
  {
    do: 'open',
    reason: 'the row is due and nothing blocks it',
    when: (s) => !isOpen(s) && s.decision.action === 'propose',
  },
  {
    do: 'forget',
    reason: 'the condition is over: the next one is proposed anew',
    when: (s) => s.proposal !== null && !isOpen(s) && conditionGone(s),
  },
];

/** Pure: the leader carries the step out. Null: nothing is to be done. */
export function nextProposal(snapshot: Snapshot, decision: Decision): ProposalStep | null {
  const seen: Seen = { snapshot, decision, proposal: snapshot.group.proposal ?? null };
  const rule = RULES.find((r) => r.when(seen));
  return rule === undefined ? null : { do: rule.do, reason: rule.reason };
}
