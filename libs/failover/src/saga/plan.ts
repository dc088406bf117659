import type { ClusterName, Ms } from '#health';
import { FAILOVER } from './failover-table.js';
import type { SagaTable, StepRule } from './plan-table.js';
import { REBUILD } from './rebuild-table.js';
import { REJOIN } from './rejoin-table.js';
import { SWITCHOVER } from './switchover-table.js';
import type { SagaKind, SagaRecord, StepName } from './types.js';

/** A new kind of saga is a new table here, and a row of steps in the controller's registry. */
const TABLES: Readonly<Partial<Record<SagaKind, SagaTable>>> = {
  failover: FAILOVER,
  switchover: SWITCHOVER,
  failback: SWITCHOVER,
  rejoin: REJOIN,
  rebuild: REBUILD,
};

export type PlannedStep = StepRule;

export type SagaPlan = Readonly<{
  kind: SagaKind;
  group: string;
  source: ClusterName;
  target: ClusterName;
  maxOpenMs: Ms;
  needsSource: boolean;
  steps: readonly PlannedStep[];
}>;

export type StepTimes = Partial<Record<StepName, Readonly<{ deadlineMs?: Ms; undoDeadlineMs?: Ms }>>>;

/** The kind is known to the type but not to this version: a saga of a newer controller. It is left alone. */
export class UnknownSagaKindError extends Error {
  override readonly name = 'UnknownSagaKindError';
  readonly kind: string;
  constructor(kind: string) {
    super(`this version has no plan for a saga of kind ${kind}: let a controller of the version that opened it lead`);
    this.kind = kind;
  }
}

/** Names of a kind's steps, in order. Throws {@link UnknownSagaKindError}. */
export const stepsOf = (kind: SagaKind): readonly StepName[] => tableOf(kind).steps.map((rule) => rule.step);

function tableOf(kind: SagaKind): SagaTable {
  const table = TABLES[kind];
  if (table === undefined) throw new UnknownSagaKindError(kind);
  return table;
}

/**
 * The plan of one saga; the dry run shows it and the runner follows it. `maxOpenMs` is the policy's, for kinds that have
 * no bound of their own; `times` shortens or lengthens single steps.
 */
export function planSaga(
  of: Readonly<{
    kind: SagaKind;
    group: string;
    source: ClusterName;
    target: ClusterName;
    maxOpenMs: Ms;
    times?: StepTimes;
  }>,
): SagaPlan {
  const { kind, group, source, target } = of;
  const table = tableOf(kind);
  const named = (text: string): string => text.replaceAll('{source}', source).replaceAll('{target}', target);
  const steps = table.steps.map((rule): PlannedStep => {
    const times = of.times?.[rule.step];
    return {
      ...rule,
      effect: named(rule.effect),
      compensation: rule.compensation === null ? null : named(rule.compensation),
      deadlineMs: times?.deadlineMs ?? rule.deadlineMs,
      undoDeadlineMs: rule.undoDeadlineMs === null ? null : (times?.undoDeadlineMs ?? rule.undoDeadlineMs),
    };
  });
  return {
    kind,
    group,
    source,
    target,
    maxOpenMs: table.maxOpenMs ?? of.maxOpenMs,
    needsSource: table.needsSource ?? false,
    steps,
  };
}

export const planOf = (saga: SagaRecord, maxOpenMs: Ms, times?: StepTimes): SagaPlan =>
  planSaga({
    kind: saga.kind,
    group: saga.group,
    source: saga.source,
    target: saga.target,
    maxOpenMs,
    ...(times ? { times } : {}),
  });
