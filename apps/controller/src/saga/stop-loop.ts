import { type FlowGoal, goalKey } from '#failover';
import { rfc3339 } from '#platform';
import type { AgentGateway } from '../observation/observation.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import type { GoalHandover } from './goal-handover.js';
import type { SagaGroup, SagaTimes } from './saga-options.js';
import type { SagaTime } from './saga-time.js';
import type { Evaluation } from './steps/confirm-failover.step.js';

export type StopLoopDeps = Readonly<{
  store: AuthorityStore;
  gateway: AgentGateway;
  handover: GoalHandover;
  time: SagaTime;
  times: SagaTimes;
  holder: string;
  term: number;
  leading: AbortSignal;
}>;

const LONGEST_WAIT_MS = 60_000;

/**
 * I37: both directions run under IdentityReplicationPolicy, and no saga is open that could want it. Both get the goal
 * `stopped`, and the goals are dropped once both are read back: connectors stay STOPPED by themselves, and the person who
 * was called can resume the right one without fighting an agent. A goal that a saga left is not touched: its agents stop
 * the flow at each probe already. The page leaves with the decision's alerts.
 */
export async function stopLoop(deps: StopLoopDeps, group: SagaGroup, of: Evaluation): Promise<void> {
  const { handover, term } = deps;
  const goals = await saveGoals(deps, group, of);
  if (goals.length === 0) return;
  await handover.send(term);
  if (await areStopped(deps, goals)) await drop(deps, goals);
}

async function saveGoals(deps: StopLoopDeps, group: SagaGroup, of: Evaluation): Promise<readonly FlowGoal[]> {
  const { store, term, holder, time } = deps;
  const { name, epoch: at } = of.snapshot.group;
  const held = new Map((await store.goals()).map((g) => [goalKey(g), g]));
  const wanted = (of.decision.flowLoop ?? []).flatMap(({ from, to }): FlowGoal[] => {
    const flow = group.watch.flows.find((f) => f.from === from && f.to === to);
    if (flow === undefined) return [];
    const { connectors } = flow;
    const goal: FlowGoal = { subject: 'flow', group: name, from, to, state: 'stopped', epoch: at, term, connectors };
    return held.get(goalKey(goal))?.state === 'stopped' ? [] : [goal];
  });
  if (wanted.length === 0) return [];
  const summary = `stopped: ${wanted.map((g) => goalKey(g)).join(' and ')} ran at once`;
  return await store.transact(term, holder, async (tx) => {
    if (await tx.hasOpenSaga(name)) return []; // begun meanwhile: an epoch above its own would make agents refuse it
    const epoch = await tx.reserveEpoch(name, at);
    const goals = wanted.map((goal) => ({ ...goal, epoch }));
    for (const goal of goals) await tx.saveGoal(goal);
    const common = { at: rfc3339(time.wallMs()), group: name, term, epoch };
    const detail = { goals: goals.map((g) => `${goalKey(g)} ${g.state}`) };
    await tx.appendEvent({ ...common, type: 'saga', row: of.decision.row, summary, detail });
    const actor = `controller:${holder}`;
    await tx.appendAudit({ ...common, actor, action: 'stop flow loop', reason: summary, detail });
    return goals;
  });
}

/** Bounded: goals that are not reached by then stay, and the agents go on. */
async function areStopped(deps: StopLoopDeps, goals: readonly FlowGoal[]): Promise<boolean> {
  const { gateway, time, times, leading } = deps;
  const endsAtMs = time.monotonicMs() + LONGEST_WAIT_MS;
  while (time.monotonicMs() < endsAtMs) {
    const reached = goals.every((goal) => {
      const status = gateway.goalStatus(goalKey(goal));
      return status?.reached === true && status.epoch >= goal.epoch && status.term >= goal.term;
    });
    if (reached) return true;
    await time.sleep(times.pollMs, leading);
  }
  return false;
}

/** Only what is still ours: a saga that began meanwhile has put goals of its own in their place. */
async function drop(deps: StopLoopDeps, goals: readonly FlowGoal[]): Promise<void> {
  const { store, handover, term, holder } = deps;
  const held = new Map((await store.goals()).map((g) => [goalKey(g), g.epoch]));
  const ours = goals.filter((goal) => held.get(goalKey(goal)) === goal.epoch);
  await store.transact(term, holder, async (tx) => {
    for (const goal of ours) await tx.dropGoal(goalKey(goal));
  });
  await handover.send(term);
}
