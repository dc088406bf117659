import type { Decision, Snapshot } from '../matrix/facts.js';
import { gateRefusals } from '../matrix/gates.js';
import type { Refusal } from '../saga/preconditions.js';
import type { ProposalFacts } from './proposal.js';

/** Who approves what; `proposal` null: whichever is open. */
export type ApprovalQuestion = Readonly<{ identity: string; proposal: string | null }>;

type Asked = Readonly<{
  snapshot: Snapshot;
  decision: Decision;
  question: ApprovalQuestion;
  open: ProposalFacts | null;
}>;
type Rule = Readonly<{ name: string; found: (a: Asked) => string | null; liftedBy: (a: Asked) => string }>;

const groupOf = ({ snapshot }: Asked): string => snapshot.group.name;

/** What lifts `SAME_PERSON`, wherever it is found. */
export const ANOTHER_PERSON =
  'another person approves with a token of their own: pointsman token create NAME --role operator';

/** Of any proposal. */
const SLOT: readonly Rule[] = [
  {
    name: 'NO_PROPOSAL',
    found: ({ open, question }) => {
      if (open === null) return 'no proposal of this group is open';
      const other = question.proposal !== null && question.proposal !== open.id;
      return other ? `proposal ${question.proposal} is not open; ${open.id} is` : null;
    },
    liftedBy: (a) => `pointsman explain ${groupOf(a)} says what is the case now`,
  },
  {
    name: 'PROPOSAL_EXPIRED',
    found: ({ open }) => (open !== null && open.expiresInMs <= 0 ? 'its time to be decided is over' : null),
    liftedBy: () => 'it is proposed again when the policy’s proposal.again has passed',
  },
  {
    name: 'SAME_PERSON',
    found: ({ open, question }) =>
      open?.approvedBy.includes(question.identity) === true
        ? `${question.identity} is one of its two persons already`
        : null,
    liftedBy: () => ANOTHER_PERSON,
  },
];

/** Of one that the matrix made: the matrix once more. */
const MATRIX: readonly Rule[] = [
  {
    name: 'NOT_CONFIRMED',
    found: ({ decision }) =>
      decision.wouldDo === 'propose'
        ? null
        : `row ${decision.row} ${decision.name} does not ask for a move: ${decision.state}`,
    liftedBy: () => 'nothing needs to be moved now',
  },
  {
    name: 'WINDOW_NOT_FULL',
    found: ({ decision: { window } }) =>
      window !== null && !window.complete ? `${window.fillMs} of ${window.lengthMs} ms: it began anew` : null,
    liftedBy: ({ decision: { window } }) => `time: ${window?.dueInMs ?? 0} ms more, if nothing contradicts`,
  },
  {
    name: 'TARGET_CHANGED',
    found: ({ open, decision }) =>
      open !== null && decision.target !== open.target
        ? `${open.target} was proposed, now it is ${decision.target}`
        : null,
    liftedBy: (a) => `pointsman reject ${groupOf(a)} --reason "…", and look at what is proposed next`,
  },
];

const ask = (rules: readonly Rule[], asked: Asked): readonly Refusal[] =>
  rules.flatMap((rule) => {
    const detail = rule.found(asked);
    return detail === null ? [] : [{ name: rule.name, detail, liftedBy: rule.liftedBy(asked) }];
  });

/** Every reason why this person's approval does not count; of a person's proposal the planned act has its own besides. */
export function approvalRefusals(
  snapshot: Snapshot,
  decision: Decision,
  question: ApprovalQuestion,
): readonly Refusal[] {
  const { proposal } = snapshot.group;
  const open = proposal?.state === 'open' ? proposal : null;
  const asked: Asked = { snapshot, decision, question, open };
  const slot = ask(SLOT, asked);
  if (open === null || open.origin === 'person') return slot;
  return [...slot, ...ask(MATRIX, asked), ...gateRefusals(decision.gate, snapshot), ...decision.blockers];
}
