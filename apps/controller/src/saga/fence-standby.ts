import { goalKey, standbyGoal, standbysToClose, type ClusterGoal } from '#failover';
import { rfc3339 } from '#platform';
import type { UnfenceDeps } from './unfence-active.js';
import type { SagaGroup } from './saga-options.js';
import type { Evaluation } from './steps/confirm-failover.step.js';

/**
 * Sets the goal that keeps a standby closed to applications. Set once: the agents keep it true, and the next saga that needs
 * the standby open replaces it (`unfence-target`).
 */
export async function fenceStandbys(
  deps: UnfenceDeps,
  group: SagaGroup,
  { snapshot, decision }: Evaluation,
): Promise<void> {
  const { store, handover, term, holder } = deps;
  const closing = standbysToClose(snapshot, decision, group.policy);
  if (closing.length === 0) return;
  const { name, epoch } = snapshot.group;
  const held = await store.goals();
  const of = { name, epoch, topics: group.watch.topics };
  const goals = closing
    .map((cluster) => standbyGoal(of, cluster, term, held))
    .filter((goal): goal is ClusterGoal => goal !== null);
  if (goals.length === 0) return;
  const summary = `closed to applications while standby: ${goals.map((g) => g.cluster).join(', ')}`;
  await store.transact(term, holder, async (tx) => {
    for (const goal of goals) await tx.saveGoal(goal);
    const common = { at: rfc3339(deps.wallMs), group: name, term, epoch };
    const detail = { goals: goals.map((g) => `${goalKey(g)} ${g.state}`) };
    await tx.appendEvent({ ...common, type: 'saga', row: decision.row, summary, detail });
    await tx.appendAudit({
      ...common,
      actor: `controller:${holder}`,
      action: 'fence standby',
      reason: summary,
      detail,
    });
  });
  await handover.send(term);
}
