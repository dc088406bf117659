import type { ClusterName, Ms } from '#health';
import { FAILOVER_STEPS, type SagaRecord, type StepName } from './types.js';

/** `before` publish: may be walked back. `return`: publish itself. `after`: only forward, bounded, left-overs are debt. */
export type StepPhase = 'before' | 'return' | 'after';

export type PlannedStep = Readonly<{
  step: StepName;
  phase: StepPhase;
  deadlineMs: Ms;
  effect: string; // what a dry run shows
  compensation: string | null; // null: nothing to take back
  undoDeadlineMs: Ms | null; // null: nothing to take back
  /** True: its truth lies in the world and may have changed, so each new leader looks again instead of trusting the journal. */
  lookAgain: boolean;
}>;

export type FailoverPlan = Readonly<{
  kind: 'failover';
  group: string;
  source: ClusterName;
  target: ClusterName;
  maxOpenMs: Ms;
  steps: readonly PlannedStep[];
}>;

type Rule = Omit<PlannedStep, 'step'>;

const rule = (
  phase: StepPhase,
  deadlineMs: Ms,
  effect: string,
  undo: Readonly<{ what: string; deadlineMs: Ms }> | null = null,
  lookAgain = false,
): Rule => ({
  phase,
  deadlineMs,
  effect,
  compensation: undo?.what ?? null,
  undoDeadlineMs: undo?.deadlineMs ?? null,
  lookAgain,
});

/** The failover table of the design. `stop-replication` waits 60 s: 41 s were measured with a dead source and default time-outs. */
export const FAILOVER_RULES = {
  confirm: rule('before', 2_000, 'judge the matrix once more on a fresh snapshot'),
  open: rule(
    'before',
    5_000,
    'open the journal, reserve an epoch, record votes, last end offsets and the loss estimate',
  ),
  'check-publishable': rule('before', 5_000, 'claim the group and write a canary to the config center', null, true),
  announce: rule('before', 5_000, 'send the alert "acting"'),
  'fence-source': rule(
    'before',
    15_000,
    'fence {source}; or see every broker of it refuse; or record a waiver with its evidence',
    { what: 'unfence {source}', deadlineMs: 10_000 },
    true,
  ),
  'stop-replication': rule(
    'before',
    60_000,
    'stop the flow {source}→{target}',
    { what: 'start the flow {source}→{target} again', deadlineMs: 10_000 },
    true,
  ),
  'freeze-position': rule('before', 15_000, 'record S, N and E_a per partition in the ledger, once', null, true),
  'set-offsets': rule(
    'before',
    20_000,
    'check every consumer group on {target}: inside the log, earliest where none exists',
  ),
  'check-target': rule(
    'before',
    20_000,
    '{target} is fit, takes a write, and {source} still does not answer',
    null,
    true,
  ),
  'unfence-target': rule(
    'before',
    10_000,
    'open {target} if it is fenced',
    { what: 'fence {target} again', deadlineMs: 10_000 },
    true,
  ),
  publish: rule('return', 15_000, 'publish {target} as the active cluster: the point of no return', {
    what: 'publish {source} again at a higher epoch',
    deadlineMs: 15_000,
  }),
  'verify-publish': rule('after', 10_000, 'read the pointer back and write a canary to {target}'),
  remember: rule('after', 5_000, 'keep the goals: {source} fenced, both flows stopped'),
  close: rule('after', 5_000, 'report, start the cool-down'),
} as const satisfies Record<StepName, Rule>;

export type StepTimes = Partial<Record<StepName, Readonly<{ deadlineMs?: Ms; undoDeadlineMs?: Ms }>>>;

/** The plan of one failover; the dry run shows it and the runner follows it. `times` shortens or lengthens single steps. */
export function planFailover(
  of: Readonly<{ group: string; source: ClusterName; target: ClusterName; maxOpenMs: Ms; times?: StepTimes }>,
): FailoverPlan {
  const named = (text: string): string => text.replaceAll('{source}', of.source).replaceAll('{target}', of.target);
  const steps = FAILOVER_STEPS.map((step): PlannedStep => {
    const base: Rule = FAILOVER_RULES[step];
    const times = of.times?.[step];
    return {
      ...base,
      step,
      effect: named(base.effect),
      compensation: base.compensation === null ? null : named(base.compensation),
      deadlineMs: times?.deadlineMs ?? base.deadlineMs,
      undoDeadlineMs: base.undoDeadlineMs === null ? null : (times?.undoDeadlineMs ?? base.undoDeadlineMs),
    };
  });
  return { kind: 'failover', group: of.group, source: of.source, target: of.target, maxOpenMs: of.maxOpenMs, steps };
}

export const planOf = (saga: SagaRecord, maxOpenMs: Ms, times?: StepTimes): FailoverPlan =>
  planFailover({ group: saga.group, source: saga.source, target: saga.target, maxOpenMs, ...(times ? { times } : {}) });
