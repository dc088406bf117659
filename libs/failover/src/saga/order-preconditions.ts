import type { ClusterName } from '#health';
import { BLOCKERS, type BlockerRule } from '../matrix/blockers.js';
import { BY_HAND, type BlockerByHand } from '../matrix/by-hand.js';
import type { BlockerName, Decision, Policy, Snapshot } from '../matrix/facts.js';
import { REJOINING } from '../matrix/fitness.js';
import { GATES, gateRefusals } from '../matrix/gates.js';
import type { LagJudgement } from '../matrix/lag.js';
import type { Row } from '../matrix/row.js';
import { type Situation, situationOf } from '../matrix/situation.js';
import { tableOf } from '../matrix/tables.js';
import { lagForOrder, lossRefusal, type OrderLoss, orderLoss } from './order-loss.js';
import type { Refusal } from './preconditions.js';
import type { ForceOrder } from './types.js';

/** A failover that a person orders. */
export type OrderQuestion = Readonly<{
  target: ClusterName;
  force: ForceOrder;
  /** Of a target whose rejoin is not finished: records written to S since it was left; null: not known. */
  sinceSwitchRecords: number | null;
}>;

/** Blockers that an order may name, by the table. */
export const OVERRIDABLE: readonly BlockerName[] = BLOCKERS.filter(
  ({ byHand }) => byHand === 'override' || byHand === 'override-rejoining' || byHand === 'accept-loss',
).map((b) => b.name);

type Asked = Readonly<{
  situation: Situation;
  decision: Decision;
  row: Row;
  lag: LagJudgement;
  question: OrderQuestion;
}>;

const rowOf = (policy: Policy, id: number): Row | undefined => tableOf(policy).find((r) => r.id === id);

/**
 * Whether what a person ordered off still holds: the row that it was ordered on, or one on which S is the same to a person.
 * An order about a dead S holds while it is dead: once it answers, in whatever state, it is not left.
 */
export const orderHolds = (policy: Policy, orderedOn: number, decision: Decision): boolean => {
  const [before, now] = [rowOf(policy, orderedOn), rowOf(policy, decision.row)];
  if (before === undefined || now === undefined || !BY_HAND[before.byHand].mayOrder) return false;
  return before === now || (before.byHand === now.byHand && before.byHand !== 'dead');
};

/** Whether a saga of this row may waive the fence while somebody finds S answering (I9). */
export const needsFenceFirst = (policy: Policy, id: number): boolean => {
  const row = rowOf(policy, id);
  const byHand = row === undefined ? null : BY_HAND[row.byHand];
  return byHand?.mayOrder === true && byHand.fenceFirst;
};

/** Whether an unfinished rejoin is all that is wrong with the target, and the order sets that aside. */
export const overridesRejoin = (force: ForceOrder | undefined, reasons: readonly string[]): boolean =>
  force?.override.includes('TARGET_NOT_FIT') === true && reasons.every((reason) => reason === REJOINING);

const own = ({ situation: { snapshot, source, target }, decision, row, question }: Asked): readonly Refusal[] => {
  const { name } = snapshot.group;
  const wrong = question.target === source.name ? 'is active already' : 'is not the other cluster of the group';
  const byHand = BY_HAND[row.byHand];
  return [
    ...(question.target === target?.name
      ? []
      : [
          {
            name: 'WRONG_TARGET',
            detail: `${question.target} ${wrong}`,
            liftedBy: `pointsman status names the clusters of ${name}`,
          },
        ]),
    ...(byHand.mayOrder
      ? []
      : [
          {
            name: 'SOURCE_ANSWERS',
            detail: `row ${decision.row} ${decision.name}: ${decision.state}`,
            liftedBy: byHand.instead({ snapshot, target: question.target }),
          },
        ]),
    ...(snapshot.graceOver
      ? []
      : [
          {
            name: 'STILL_LISTENING',
            detail: 'this controller began to listen a moment ago and has not heard every observer yet',
            liftedBy: `time: ${(3 * snapshot.probe.periodMs + snapshot.probe.timeoutMs) / 1000} s after its start`,
          },
        ]),
  ];
};

const gates = ({ decision, situation: { snapshot } }: Asked): readonly Refusal[] => {
  const never = GATES.filter((g) => g.byHand === 'never').map((g) => g.name);
  return gateRefusals(
    decision.gate.filter((name) => never.includes(name)),
    snapshot,
  );
};

type Ask = (a: Asked, rule: BlockerRule) => Refusal | null;

const found: Ask = ({ situation, lag }, rule) => {
  const q = { situation, lag };
  const detail = rule.found(q);
  return detail === null ? null : { name: rule.name, detail, liftedBy: rule.liftedBy(q) };
};

/** How the order of a person stands to a blocker, by the blocker's column. */
const ASKS: Readonly<Record<BlockerByHand, Ask>> = {
  'not-asked': () => null,
  never: found,
  // Once for both names: by the limit that this order states, whatever the policy allows Pointsman itself.
  'accept-loss': ({ lag, question }, { name }) => {
    const refusal = lossRefusal(lag, question.force.acceptLoss);
    return refusal?.name === name ? refusal : null;
  },
  override: (a, rule) => {
    if (a.question.force.override.includes(rule.name)) return null;
    const refusal = found(a, rule);
    return refusal && { ...refusal, liftedBy: `${refusal.liftedBy}; or by this order: --override ${rule.name}` };
  },
  'override-rejoining': (a, rule) => {
    const { fit, reasons } = a.decision.targetFit;
    if (fit || overridesRejoin(a.question.force, reasons)) return null;
    const refusal = found(a, rule);
    return refusal && { ...refusal, detail: reasons.join('; ') };
  },
};

/** A source that refuses everybody carries no fence that could be copied: its rows do not ask. */
const isAsked = ({ name }: BlockerRule, row: Row): boolean =>
  name !== 'FENCE_WOULD_COPY' || row.blockers.length === 0 || row.blockers.includes(name);

export type OrderJudgement = Readonly<{ refusals: readonly Refusal[]; loss: OrderLoss }>;

/**
 * Every reason at once why a person's failover is not begun, and what it would lose. Pure, so that the dry run and the act
 * cannot differ on one snapshot. A column of the matrix, not a way round it: what the table does not let anybody order is
 * refused with the call to make instead.
 */
export function judgeOrder(
  snapshot: Snapshot,
  policy: Policy,
  decision: Decision,
  question: OrderQuestion,
): OrderJudgement {
  const situation = situationOf(snapshot, policy);
  const row = rowOf(policy, decision.row);
  if (row === undefined) throw new RangeError(`row ${decision.row} is not in the table of ${policy.preset}`);
  const { lag, says } = lagForOrder(situation, row, decision, question);
  const asked: Asked = { situation, decision, row, lag, question };
  const blockers = BLOCKERS.filter((rule) => isAsked(rule, row)).flatMap((rule) => {
    const refusal = ASKS[rule.byHand](asked, rule);
    return refusal === null ? [] : [refusal];
  });
  return {
    refusals: [...own(asked), ...gates(asked), ...blockers],
    loss: orderLoss(decision, lag, says),
  };
}
