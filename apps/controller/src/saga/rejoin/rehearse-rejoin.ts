import { planSaga, rejoinRefusals, type RejoinOrder } from '#failover';
import type { PlannedAsk, Rehearsal } from '../planned-ask.js';
import { presentSwitch } from '../present-switch.js';
import type { SagaRunnerDeps } from '../saga-fleet.js';
import type { SagaGroup } from '../saga-options.js';
import { rebuildBegunBefore } from './rebuild-begun.js';
import { isSurveyed } from './told-survey.js';

const HISTORY = 50;

const NOTHING_CHOSEN: RejoinOrder = {
  choice: 'accept',
  destination: 'file',
  strategy: 'last-write-wins',
  priority: [],
  confirm: null,
};

/** What a rejoin would do and what stands in its way. Reads only. */
export async function rehearseRejoin(deps: SagaRunnerDeps, group: SagaGroup, ask: PlannedAsk): Promise<Rehearsal> {
  const { snapshot } = deps.decisions.evaluate(group.name);
  const { active, rejoin, epoch } = snapshot.group;
  const target = ask.target ?? rejoin[0] ?? '';
  const order = ask.request.rejoin ?? NOTHING_CHOSEN;
  const left = await presentSwitch(deps.store, { group: group.name, active, epoch }, target);
  const rebuildBegun = left !== null && rebuildBegunBefore(await deps.store.sagas(group.name, HISTORY), left);
  const refusals = rejoinRefusals(snapshot, group.policy, {
    target,
    flows: group.watch.flows,
    order,
    acceptUnfencedSource: ask.request.acceptUnfencedSource,
    switchKnown: left !== null,
    tailTold: rebuildBegun || (left !== null && (await isSurveyed(deps.store, group.name, left.epoch))),
    rebuildBegun,
  });
  const plan = planSaga({
    kind: order.choice === 'rebuild' ? 'rebuild' : 'rejoin',
    ...{ group: group.name, source: active, target, maxOpenMs: group.policy.sagaMaxOpenMs },
    times: deps.times.steps,
  });
  return { target, epoch, refusals, plan };
}
