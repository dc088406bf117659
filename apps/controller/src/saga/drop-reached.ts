import { goalKey } from '#failover';
import { rfc3339 } from '#platform';
import type { AgentGateway } from '../observation/observation.port.js';
import type { AuthorityStore, StoredGoal } from '../persistence/authority-store.port.js';
import type { GoalHandover } from './goal-handover.js';
import type { SagaTime } from './saga-time.js';

export type DropReachedDeps = Readonly<{
  store: AuthorityStore;
  gateway: Pick<AgentGateway, 'goalStatus'>;
  handover: GoalHandover;
  time: Pick<SagaTime, 'wallMs'>;
  holder: string;
  term: number;
}>;

/**
 * Drops the group's goals that were set only until they are reached, each as it is read back. By the mark that the store keeps,
 * so it does not matter which leader set them, nor how often this failed before. Asked at each tick: nothing is read as long
 * as the agents hold none.
 */
export async function dropReached(deps: DropReachedDeps, group: string): Promise<void> {
  const { store, gateway, handover, time, term, holder } = deps;
  const reached = handover.passing(group).filter((goal) => isReached(gateway, goal));
  if (reached.length === 0) return;
  await store.transact(term, holder, async (tx) => {
    if (await tx.hasOpenSaga(group)) return; // its goals are its own business, and these may be among them
    const dropped: StoredGoal[] = [];
    for (const goal of reached) if (await tx.dropGoal(goalKey(goal), goal.epoch)) dropped.push(goal);
    const [first] = dropped;
    if (first === undefined) return;
    const goals = dropped.map((g) => `${goalKey(g)} ${g.state}`);
    const common = { at: rfc3339(time.wallMs()), group, term, epoch: first.epoch, detail: { goals } };
    const summary = `reached, and not held any longer: ${goals.join(' and ')}`;
    await tx.appendEvent({ ...common, type: 'saga', row: null, summary });
    await tx.appendAudit({ ...common, actor: `controller:${holder}`, action: 'drop reached goals', reason: summary });
  });
  await handover.send(term);
}

function isReached(gateway: DropReachedDeps['gateway'], goal: StoredGoal): boolean {
  const status = gateway.goalStatus(goalKey(goal));
  return status?.reached === true && status.epoch >= goal.epoch && status.term >= goal.term;
}
