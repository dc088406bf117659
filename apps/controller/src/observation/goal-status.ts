import type { GoalStatus } from '#failover';

/** `own`: of an agent in the IDC of the goal's cluster. */
export type HeardStatus = Readonly<{ own: boolean; status: GoalStatus }>;

/** Of what several agents say of one goal, what counts: of the newest goal, the surest, the nearest, the freshest. Null: nothing. */
export function mostTelling(heard: readonly HeardStatus[]): GoalStatus | null {
  const [first] = heard.toSorted(
    (x, y) =>
      y.status.term - x.status.term ||
      y.status.epoch - x.status.epoch ||
      certainty(y.status) - certainty(x.status) ||
      Number(y.own) - Number(x.own) ||
      x.status.ageMs - y.status.ageMs,
  );
  return first?.status ?? null;
}

/** A subject that was read says more than a worker that refuses, and that more than one that is silent. */
const certainty = ({ observed }: GoalStatus): number => (observed === 'unknown' ? 0 : observed === 'refused' ? 1 : 2);
