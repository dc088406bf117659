import { planSaga, rejoinRefusals, type RejoinOrder } from '#failover';
import type { PlannedAsk, Rehearsal } from '../planned-ask.js';
import type { SagaRunnerDeps } from '../saga-fleet.js';
import type { SagaGroup } from '../saga-options.js';
import { lastSwitch } from './returned.js';

const NOTHING_CHOSEN: RejoinOrder = {
  choice: 'accept',
  destination: 'file',
  strategy: 'last-write-wins',
  priority: [],
};

/** What a rejoin would do and what stands in its way. Reads only. */
export async function rehearseRejoin(deps: SagaRunnerDeps, group: SagaGroup, ask: PlannedAsk): Promise<Rehearsal> {
  const { snapshot } = deps.decisions.evaluate(group.name);
  const { active, rejoin, epoch } = snapshot.group;
  const target = ask.target ?? rejoin[0] ?? '';
  const refusals = rejoinRefusals(snapshot, group.policy, {
    target,
    flows: group.watch.flows,
    order: ask.request.rejoin ?? NOTHING_CHOSEN,
    acceptUnfencedSource: ask.request.acceptUnfencedSource,
    switchKnown: lastSwitch(await deps.store.ledger(group.name), target, active) !== null,
  });
  const plan = planSaga({
    ...{ kind: 'rejoin', group: group.name, source: active, target, maxOpenMs: group.policy.sagaMaxOpenMs },
    times: deps.times.steps,
  });
  return { target, epoch, refusals, plan };
}
