import { goalKey } from '#failover';
import type { AgentGateway } from '../observation/observation.port.js';
import type { AuthorityStore, StoredGoal } from '../persistence/authority-store.port.js';

/**
 * Hands the stored goals to the agents. The readings are taken one after the other: each replaces the whole set, and an
 * agent drops what is not in it, so an older reading must never arrive after a newer one.
 */
export class GoalHandover {
  private turn: Promise<void> = Promise.resolve();
  private handed: readonly StoredGoal[] = [];

  constructor(
    private readonly store: Pick<AuthorityStore, 'goals'>,
    private readonly gateway: Pick<AgentGateway, 'setGoals'>,
  ) {}

  /** Resolves when a reading that was begun after this call has been handed over. */
  send(term: number): Promise<void> {
    const sent = this.turn.then(async () => {
      const goals = await this.store.goals();
      this.gateway.setGoals(term, goals);
      this.handed = goals;
    });
    this.turn = sent.catch(() => undefined); // told to whoever asked; the next one reads anew
    return sent;
  }

  /** Whether the agents were last handed this very goal. */
  has(goal: StoredGoal): boolean {
    return this.handed.some((g) => goalKey(g) === goalKey(goal) && g.epoch === goal.epoch);
  }

  /** The group's goals, as last handed over, that end once they are reached. */
  passing(group: string): readonly StoredGoal[] {
    return this.handed.filter((g) => g.group === group && g.until === 'reached');
  }
}
