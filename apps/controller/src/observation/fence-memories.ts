import { type GoalStatus, goalKey, type PreviousValues } from '#failover';
import type { AgentId } from '#health';
import type { GoalAssignment } from '#rpc';

/**
 * What agents remember of topics that they closed by configuration, by goal. A stand-in that closed a cluster has the topics'
 * own values on its disk, and the cluster's agent, which opens it, has not. Each status says what its agent remembers, so
 * a new leader hears it again. Bounded by the configuration: the caller knows agent and key.
 */
export class FenceMemories {
  private readonly byKey = new Map<string, Map<AgentId, PreviousValues>>();

  /** @returns true if it is something new. */
  heard(agent: AgentId, { key, previous }: GoalStatus): boolean {
    const known = this.byKey.get(key);
    if (JSON.stringify(known?.get(agent) ?? {}) === JSON.stringify(previous)) return false;
    const others = [...(known ?? [])].filter(([other]) => other !== agent);
    const mine: readonly [AgentId, PreviousValues][] = Object.keys(previous).length === 0 ? [] : [[agent, previous]];
    this.byKey.set(key, new Map([...others, ...mine]));
    return true;
  }

  /** An opening, with what all agents but its own remember; of two that remember one topic the earlier heard counts. */
  tell(agent: AgentId, assignment: GoalAssignment): GoalAssignment {
    const { goal } = assignment;
    if (goal.subject !== 'cluster' || goal.state !== 'open') return assignment;
    const known = [...(this.byKey.get(goalKey(goal)) ?? [])].filter(([other]) => other !== agent);
    if (known.length === 0) return assignment;
    const previous: PreviousValues = Object.assign({}, ...known.toReversed().map(([, values]) => values));
    return { ...assignment, goal: { ...goal, previous } };
  }
}
