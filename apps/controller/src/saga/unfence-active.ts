import { checkTopic, type ClusterGoal } from '#failover';
import { rfc3339 } from '#platform';
import type { AgentGateway } from '../observation/observation.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import type { SagaGroup } from './saga-options.js';
import type { Evaluation } from './steps/confirm-failover.step.js';

export type UnfenceDeps = Readonly<{
  store: AuthorityStore;
  gateway: AgentGateway;
  wallMs: number;
  holder: string;
  term: number;
}>;

/**
 * Row 190: the active cluster carries this group's own fence and no saga is open, so something fenced it behind our back
 * (a stale agent, a lost compensation). One goal with an epoch above every earlier one opens it; asked again, it is the
 * same goal as long as the agents have not reached it.
 */
export async function unfenceActive(deps: UnfenceDeps, group: SagaGroup, of: Evaluation): Promise<void> {
  const { store, gateway, term } = deps;
  const { active, name, epoch: at } = of.snapshot.group;
  const wanted = (await store.goals()).find((g) => g.subject === 'cluster' && g.group === name && g.cluster === active);
  if (wanted?.state === 'open' && wanted.term === term) return;
  await store.transact(term, deps.holder, async (tx) => {
    const epoch = await tx.reserveEpoch(name, at);
    const topics = [...group.watch.topics, checkTopic(name)];
    const goal: ClusterGoal = { subject: 'cluster', group: name, cluster: active, state: 'open', epoch, term, topics };
    await tx.saveGoal(goal);
    const row = of.decision.row;
    const reason = `${active} is active and was found fenced by an artefact of ${name}`;
    const common = { at: rfc3339(deps.wallMs), group: name, term, epoch };
    await tx.appendEvent({
      ...common,
      type: 'saga',
      row,
      summary: `unfence ${active}: ${reason}`,
      detail: { goal: 'open', cluster: active },
    });
    const actor = `controller:${deps.holder}`;
    await tx.appendAudit({
      ...common,
      actor,
      action: 'unfence active',
      reason,
      detail: { row, reasons: of.decision.reasons },
    });
  });
  gateway.setGoals(term, await store.goals());
}
