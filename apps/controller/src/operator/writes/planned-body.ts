import type { Json } from '#failover';
import type { PlannedAsk, Rehearsal } from '../../saga/saga.port.js';
import { toJson } from '../views/json.js';

/** What is answered about a saga that is asked for; `saga` null: none was opened. */
export const plannedMembers = (ask: PlannedAsk, rehearsal: Rehearsal, saga: string | null) => ({
  group: ask.group,
  action: ask.kind,
  dryRun: saga === null,
  changed: saga !== null,
  summary: `${ask.kind} ${rehearsal.plan.source} → ${rehearsal.target}`,
  epoch: rehearsal.epoch,
  saga,
  source: rehearsal.plan.source,
  target: rehearsal.target,
  loss: rehearsal.loss,
  steps: rehearsal.plan.steps.map(({ step, phase, effect, compensation, deadlineMs }) => ({
    ...{ step, phase, effect, compensation, deadlineMs },
  })),
});

export const plannedBody = (ask: PlannedAsk, rehearsal: Rehearsal, saga: string | null): Json =>
  toJson(plannedMembers(ask, rehearsal, saga));
