import type { Goal, GoalStatus } from '#failover';
import type { AgentId, ClusterName, IdcName } from '#health';
import type { AgentGoalSet } from '#rpc';
import { FenceMemories } from './fence-memories.js';
import { assignmentsFor, type Candidate } from './goal-roles.js';

/** Lower than every term that somebody led. */
const NO_TERM = 0;

/** The goals of the newest term, and what of them each agent is sent. */
export class GoalDistribution {
  private newest: Readonly<{ term: number; goals: readonly Goal[] }> = { term: NO_TERM, goals: [] };
  private readonly memories = new FenceMemories();

  constructor(private readonly idcOf: ReadonlyMap<ClusterName, IdcName>) {}

  /** Of the goals that are kept; 0, which nobody ever led: there are none yet. */
  get term(): number {
    return this.newest.term;
  }

  /**
   * Kept also in a moment in which this process may not lead: they are sent as soon as it leads that term (again).
   * @returns false for goals of an earlier term than those that are kept.
   */
  keep(term: number, goals: readonly Goal[]): boolean {
    if (this.newest.term > term) return false;
    this.newest = { term, goals };
    return true;
  }

  /** @returns true if others may have to be told anew: the agent remembers something else than before. */
  heard(agent: AgentId, status: GoalStatus): boolean {
    return this.memories.heard(agent, status);
  }

  of(agent: AgentId, candidates: readonly Candidate[], graceOver: boolean): AgentGoalSet {
    const { term, goals } = this.newest;
    const mine = assignmentsFor(agent, goals, candidates, this.idcOf, graceOver);
    return { term, goals: mine.map((assignment) => this.memories.tell(agent, assignment)) };
  }
}
