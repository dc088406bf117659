import { goalKey, type Goal, type GoalStatus } from '#failover';
import type { ClusterName, Ms } from '#health';
import type { GoalAssignment } from '#rpc';

/** One goal with what was last read back for it. At most one effect runs per slot. */
export class GoalSlot {
  readonly key: string;
  assignment: GoalAssignment;
  /** Aborts the effect under way; null: none is. */
  running: AbortController | null = null;
  observedAtMs: Ms | null = null; // when a bystander last looked
  #status: GoalStatus;
  #readAtMs: Ms;

  constructor(assignment: GoalAssignment, now: Ms) {
    this.key = goalKey(assignment.goal);
    this.assignment = assignment;
    this.#status = notReadYet(assignment.goal);
    this.#readAtMs = now;
  }

  get goal(): Goal {
    return this.assignment.goal;
  }

  /** Takes another goal for the same subject; what was read for the old one is no evidence for it. */
  replace(assignment: GoalAssignment, now: Ms): void {
    const same = sameGoal(this.assignment.goal, assignment.goal) && this.assignment.role === assignment.role;
    this.assignment = assignment;
    if (same) return;
    this.running?.abort(new Error('another goal took its place'));
    this.running = null;
    this.observedAtMs = null;
    this.#status = notReadYet(assignment.goal);
    this.#readAtMs = now;
  }

  /** @returns true if the status says something new. */
  read(status: GoalStatus, now: Ms): boolean {
    const before = this.#status;
    this.#status = status;
    this.#readAtMs = now - status.ageMs;
    return JSON.stringify({ ...before, ageMs: 0 }) !== JSON.stringify({ ...status, ageMs: 0 });
  }

  status(now: Ms): GoalStatus {
    return { ...this.#status, ageMs: Math.max(0, now - this.#readAtMs) };
  }
}

/** The cluster that must answer before anything is done for the goal; for a flow its worker's own cluster (I38). */
export const subjectCluster = (goal: Goal): ClusterName => (goal.subject === 'cluster' ? goal.cluster : goal.to);

export const notReadYet = (goal: Goal, detail = 'not read yet'): GoalStatus => ({
  key: goalKey(goal),
  wanted: goal.state,
  observed: 'unknown',
  reached: false,
  epoch: goal.epoch,
  term: goal.term,
  ageMs: 0,
  detail,
  previous: {},
});

const sameGoal = (a: Goal, b: Goal): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = (goal: Goal): unknown => Object.entries(goal).toSorted(([x], [y]) => (x < y ? -1 : 1));
