import { type FlowGoal, goalKey } from '#failover';
import { rfc3339 } from '#platform';
import type { AuthorityStore, StoredGoal } from '../persistence/authority-store.port.js';
import type { GoalHandover } from './goal-handover.js';
import type { SagaGroup } from './saga-options.js';
import type { SagaTime } from './saga-time.js';
import type { Evaluation } from './steps/confirm-failover.step.js';

export type StopLoopDeps = Readonly<{
  store: AuthorityStore;
  handover: GoalHandover;
  time: Pick<SagaTime, 'wallMs'>;
  holder: string;
  term: number;
}>;

/**
 * I37: both directions run under IdentityReplicationPolicy, and no saga is open that could want it. Both get the goal
 * `stopped`, each until it is read back (`dropReached`): connectors stay STOPPED by themselves, and the person who was called
 * can resume the right one without fighting an agent. A goal that a saga left is not touched: its agents stop the flow at
 * each probe already. The page leaves with the decision's alerts.
 */
export async function stopLoop(deps: StopLoopDeps, group: SagaGroup, of: Evaluation): Promise<void> {
  const { store, handover, term } = deps;
  const held = (await store.goals()).filter((g) => g.group === group.name);
  const wanted = wantedGoals(group, of, term).filter(
    (goal) => !held.some((g) => goalKey(g) === goalKey(goal) && g.state === 'stopped'),
  );
  // Saved before, and the store was lost before they could be handed over.
  const unsent = held.some((g) => g.until === 'reached' && !handover.has(g));
  try {
    if (wanted.length > 0) await saveGoals(deps, wanted, of);
  } finally {
    if (wanted.length > 0 || unsent) await handover.send(term); // a commit whose answer was lost may have arrived
  }
}

function wantedGoals(group: SagaGroup, of: Evaluation, term: number): readonly FlowGoal[] {
  const { name, epoch } = of.snapshot.group;
  return (of.decision.flowLoop ?? []).flatMap(({ from, to }): FlowGoal[] => {
    const flow = group.watch.flows.find((f) => f.from === from && f.to === to);
    if (flow === undefined) return [];
    const { connectors } = flow;
    return [{ subject: 'flow', group: name, from, to, state: 'stopped', epoch, term, connectors }];
  });
}

async function saveGoals(deps: StopLoopDeps, wanted: readonly FlowGoal[], of: Evaluation): Promise<void> {
  const { store, term, holder, time } = deps;
  const { name, epoch: at } = of.snapshot.group;
  const summary = `stopped: ${wanted.map((g) => goalKey(g)).join(' and ')} ran at once`;
  await store.transact(term, holder, async (tx) => {
    if (await tx.hasOpenSaga(name)) return; // begun meanwhile: an epoch above its own would make agents refuse it
    const epoch = await tx.reserveEpoch(name, at);
    const goals = wanted.map((goal): StoredGoal => ({ ...goal, epoch, until: 'reached' }));
    for (const goal of goals) await tx.saveGoal(goal);
    const common = { at: rfc3339(time.wallMs()), group: name, term, epoch };
    const detail = { goals: goals.map((g) => `${goalKey(g)} ${g.state}`) };
    await tx.appendEvent({ ...common, type: 'saga', row: of.decision.row, summary, detail });
    const actor = `controller:${holder}`;
    await tx.appendAudit({ ...common, actor, action: 'stop flow loop', reason: summary, detail });
  });
}
