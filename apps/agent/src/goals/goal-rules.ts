import { goalKey, type Goal, type WatchGroup } from '#failover';
import type { AgentGoalSet, GoalAssignment } from '#rpc';
import type { RecordedEpoch } from '../ports.js';

/**
 * The pure rules of goals: which set is taken, which goals are kept on disk, and what an agent may still do alone.
 * They keep I5 (a lower term or epoch is refused) and I41 (a goal on disk never fences the cluster that the pointer names).
 */

/** What an agent must never forget: it outlives goals and restarts. */
export type Floors = Readonly<{
  highestTerm: number;
  groupEpochs: Readonly<Record<string, number>>; // highest epoch of any command or goal taken, per group
  goalEpochs: Readonly<Record<string, number>>; // highest epoch taken, per goal key
}>;

export const NO_FLOORS: Floors = { highestTerm: 0, groupEpochs: {}, goalEpochs: {} };

export type GoalSetVerdict = Readonly<
  | { taken: false; reason: string }
  | { taken: true; goals: readonly GoalAssignment[]; refused: readonly string[]; floors: Floors }
>;

/** Keys remembered per agent; far above any real number of groups, so that a broken leader cannot fill the memory. */
const MAX_KEYS = 10_000;

/**
 * A set replaces all goals. Refused as a whole when its term is lower than one heard; a single goal in it is refused when
 * its epoch is lower than one taken for the same subject.
 */
export function judgeGoalSet(set: AgentGoalSet, floors: Floors): GoalSetVerdict {
  if (set.term < floors.highestTerm) {
    return { taken: false, reason: `term ${set.term} is lower than ${floors.highestTerm}, which this agent has heard` };
  }
  if (set.goals.length > MAX_KEYS) return { taken: false, reason: `${set.goals.length} goals are too many` };
  const refused: string[] = [];
  const goals: GoalAssignment[] = [];
  const goalEpochs: Record<string, number> = { ...floors.goalEpochs };
  const groupEpochs: Record<string, number> = { ...floors.groupEpochs };
  for (const assignment of set.goals) {
    const { goal } = assignment;
    const key = goalKey(goal);
    const known = goalEpochs[key] ?? 0;
    if (goal.epoch < known) {
      refused.push(`${key}: epoch ${goal.epoch} is lower than ${known}`);
      continue;
    }
    goalEpochs[key] = goal.epoch;
    groupEpochs[goal.group] = Math.max(goal.epoch, groupEpochs[goal.group] ?? 0);
    goals.push(assignment);
  }
  return { taken: true, goals, refused, floors: { highestTerm: set.term, goalEpochs, groupEpochs } };
}

/** Only the agent of the subject's own IDC keeps its goals on disk: a stand-in's memory must die with its process. */
export const goalsToKeep = (goals: readonly GoalAssignment[]): readonly Goal[] =>
  goals.filter((a) => a.role === 'own').map((a) => a.goal);

export type AloneVerdict = Readonly<{ apply: true } | { apply: false; reason: string }>;

const skip = (reason: string): AloneVerdict => ({ apply: false, reason });

/**
 * What an agent without a leader may do for a goal it holds, after it has read the newest epoch recorded on the goal's
 * own cluster. Only `stopped`, and `fenced` on a cluster that the pointer is known *not* to name; nothing older than what
 * was read. The pointer is known by the cached watch list, or by the record where it names the active cluster; knowledge
 * older than the goal proves nothing, because the goal's saga may never have published.
 */
export function judgeAlone(goal: Goal, recorded: RecordedEpoch | null, watch: WatchGroup | null): AloneVerdict {
  if (goal.state !== 'stopped' && goal.state !== 'fenced') return skip(`"${goal.state}" needs a leader`);
  if (recorded !== null && recorded.epoch > goal.epoch) {
    return skip(`epoch ${recorded.epoch} is recorded on the cluster, the goal is of epoch ${goal.epoch}`);
  }
  if (recorded !== null && recorded.epoch === goal.epoch && recorded.term > goal.term) {
    return skip(`term ${recorded.term} is recorded on the cluster, the goal is of term ${goal.term}`);
  }
  if (goal.subject === 'flow') return { apply: true };
  const known = [
    ...(watch === null || watch.active === null ? [] : [{ epoch: watch.epoch, active: watch.active }]),
    ...(recorded === null || recorded.active === null ? [] : [{ epoch: recorded.epoch, active: recorded.active }]),
  ].toSorted((x, y) => y.epoch - x.epoch);
  const newest = known[0];
  if (newest === undefined || newest.epoch < goal.epoch) {
    return skip(`what the pointer names at epoch ${goal.epoch} or later is not known here`);
  }
  if (known.some((k) => k.epoch === newest.epoch && k.active === goal.cluster)) {
    return skip(`the pointer names ${goal.cluster} at epoch ${newest.epoch}`);
  }
  return { apply: true };
}
