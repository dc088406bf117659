import { checkTopic, type ClusterGoal } from '#failover';
import { rfc3339 } from '#platform';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import type { Publishing } from '../publishing/publishing.port.js';
import type { GoalHandover } from './goal-handover.js';
import type { SagaGroup } from './saga-options.js';
import type { Evaluation } from './steps/confirm-failover.step.js';

export type UnfenceDeps = Readonly<{
  store: AuthorityStore;
  handover: GoalHandover;
  wallMs: number;
  holder: string;
  term: number;
}>;

/**
 * Row 190: the active cluster carries this group's own fence and no saga is open, so something fenced it behind our back
 * (a stale agent, a lost compensation). One goal with an epoch above every earlier one opens it; asked again, it is the
 * same goal as long as the agents have not reached it. Opened is only what clients are told to follow: with a config center
 * that is silent, or ahead of the store's view, nothing is.
 */
export async function unfenceActive(
  deps: UnfenceDeps & Readonly<{ publishing: Pick<Publishing, 'read'> }>,
  group: SagaGroup,
  of: Evaluation,
): Promise<void> {
  const { store, handover, publishing, term } = deps;
  const { active, name, epoch: at } = of.snapshot.group;
  const wanted = (await store.goals()).find((g) => g.subject === 'cluster' && g.group === name && g.cluster === active);
  if (wanted?.state === 'open' && wanted.term === term) return await handover.send(term);
  const pointer = await publishing.read(name);
  if (pointer?.activeCluster !== active || pointer.epoch !== at) return;
  await store.transact(term, deps.holder, async (tx) => {
    if (await tx.hasOpenSaga(name)) return; // begun meanwhile: an epoch above its own would make agents refuse it
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
  await handover.send(term);
}
