import type { AgentGateway } from '../observation/observation.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';

/**
 * Hands the stored goals to the agents. The readings are taken one after the other: each replaces the whole set, and an
 * agent drops what is not in it, so an older reading must never arrive after a newer one.
 */
export class GoalHandover {
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: Pick<AuthorityStore, 'goals'>,
    private readonly gateway: Pick<AgentGateway, 'setGoals'>,
  ) {}

  /** Resolves when a reading that was begun after this call has been handed over. */
  send(term: number): Promise<void> {
    const sent = this.turn.then(async () => this.gateway.setGoals(term, await this.store.goals()));
    this.turn = sent.catch(() => undefined); // told to whoever asked; the next one reads anew
    return sent;
  }
}
