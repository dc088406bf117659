import { approvalRefusals, planSaga } from '#failover';
import type { PlannedAsk, Rehearsal } from './planned-ask.js';
import type { SagaRunnerDeps } from './saga-fleet.js';
import type { SagaGroup } from './saga-options.js';

/** What an approval would begin and what stands in its way: the matrix once more, on a fresh snapshot. Reads only. */
export async function rehearseApproved(deps: SagaRunnerDeps, group: SagaGroup, ask: PlannedAsk): Promise<Rehearsal> {
  const { snapshot, decision } = deps.decisions.evaluate(group.name);
  const { active: source, epoch } = snapshot.group;
  const target = ask.target ?? decision.target ?? '';
  const { identity = '', proposal = null } = ask.request.approval ?? {};
  const plan = planSaga({
    ...{ kind: 'failover', group: group.name, source, target, maxOpenMs: group.policy.sagaMaxOpenMs },
    times: deps.times.steps,
  });
  return { target, epoch, plan, refusals: approvalRefusals(snapshot, decision, { identity, proposal }) };
}
