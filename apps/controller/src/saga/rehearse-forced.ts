import { judgeOrder, planSaga, type ForceOrder, type Snapshot } from '#failover';
import { positionKey } from './agent-calls.js';
import type { PlannedAsk, Rehearsal } from './planned-ask.js';
import { presentSwitch } from './present-switch.js';
import type { SagaRunnerDeps } from './saga-fleet.js';
import type { SagaGroup } from './saga-options.js';

/** A failover as a person orders it: by the column of the matrix, on a fresh snapshot. Reads only. */
export async function rehearseForced(
  deps: SagaRunnerDeps,
  group: SagaGroup,
  ask: PlannedAsk,
  force: ForceOrder,
): Promise<Rehearsal> {
  const { snapshot, decision } = deps.decisions.evaluate(group.name);
  const { active: source, epoch, rejoin } = snapshot.group;
  const target = ask.target ?? '';
  const sinceSwitchRecords = rejoin.includes(target) ? await writtenSince(deps, snapshot, target) : null;
  const { refusals, loss } = judgeOrder(snapshot, group.policy, decision, { target, force, sinceSwitchRecords });
  const plan = planSaga({
    ...{ kind: 'failover', group: group.name, source, target, maxOpenMs: group.policy.sagaMaxOpenMs },
    times: deps.times.steps,
  });
  return { target, epoch, plan, refusals, loss };
}

/** Records written to the active cluster since it became that and `target` was left: by the ledger and its last seen ends; null: not known. */
async function writtenSince(deps: SagaRunnerDeps, snapshot: Snapshot, target: string): Promise<number | null> {
  const { name, active, epoch } = snapshot.group;
  const left = await presentSwitch(deps.store, { group: name, active, epoch }, target);
  const ends = snapshot.flows.find((f) => f.from === active && f.to === target)?.perPartition ?? [];
  if (left === null || ends.length === 0) return null;
  const begins = new Map(left.rows.map((row) => [positionKey(row), row.s]));
  let records = 0;
  for (const partition of ends) {
    const from = begins.get(positionKey(partition));
    if (partition.sourceEnd === null || from === undefined) return null;
    records += Math.max(0, partition.sourceEnd - from);
  }
  return records;
}
