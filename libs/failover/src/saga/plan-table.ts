import type { Ms } from '#health';
import type { SagaOutcome, StepName } from './types.js';

/**
 * `before` the point of no return: may be walked back. `return`: the point itself. `after`: only forward, bounded,
 * left-overs are debt. A kind without a `return` step (nothing of it is final) is past that point when its `before` steps
 * are done.
 */
export type StepPhase = 'before' | 'return' | 'after';

export type StepRule = Readonly<{
  step: StepName;
  phase: StepPhase;
  deadlineMs: Ms;
  effect: string; // what a dry run shows; {source} and {target} are filled in
  compensation: string | null; // null: nothing to take back
  undoDeadlineMs: Ms | null; // null: nothing to take back
  /** True: its truth lies in the world and may have changed, so each new leader looks again instead of trusting the journal. */
  lookAgain: boolean;
  /** After the point of no return: done even when the saga has been open for too long. */
  essential: boolean;
  /** Outcomes with which it is *not* taken back: a source that was lost keeps its fence. */
  keptOn: readonly SagaOutcome[];
}>;

/** One kind of saga as data. */
export type SagaTable = Readonly<{
  /** Null: the policy's `sagaMaxOpen`. */
  maxOpenMs: Ms | null;
  /** Planned: a source that is found dead before the point of no return ends the saga as SOURCE_LOST. */
  needsSource?: true;
  steps: readonly StepRule[];
}>;

type Extras = Readonly<{
  undo?: Readonly<{ what: string; deadlineMs: Ms }>;
  lookAgain?: boolean;
  essential?: boolean;
  keptOn?: readonly SagaOutcome[];
}>;

const rule = (phase: StepPhase, step: StepName, deadlineMs: Ms, effect: string, more: Extras): StepRule => ({
  step,
  phase,
  deadlineMs,
  effect,
  compensation: more.undo?.what ?? null,
  undoDeadlineMs: more.undo?.deadlineMs ?? null,
  lookAgain: more.lookAgain ?? false,
  essential: more.essential ?? false,
  keptOn: more.keptOn ?? [],
});

export const before = (step: StepName, deadlineMs: Ms, effect: string, more: Extras = {}): StepRule =>
  rule('before', step, deadlineMs, effect, more);
export const pointOfNoReturn = (step: StepName, deadlineMs: Ms, effect: string, more: Extras = {}): StepRule =>
  rule('return', step, deadlineMs, effect, more);
export const after = (step: StepName, deadlineMs: Ms, effect: string, more: Extras = {}): StepRule =>
  rule('after', step, deadlineMs, effect, more);
