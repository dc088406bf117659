import type { ClusterName, Ms } from '#health';
import type { SagaPlan, PlannedStep } from './plan.js';
import type { JournalEntry, SagaOutcome, SagaRecord, StepName } from './types.js';

/** What is true outside the journal at the moment of the question. */
export type SagaWorld = Readonly<{
  pointer: Readonly<{ active: ClusterName; epoch: number; sagaId: string | null }> | 'absent' | 'silent';
  term: number; // of the leader that asks
  openForMs: Ms;
  /** A person wants the saga ended; heeded up to the point of no return. */
  abort?: Readonly<{ reason: string }> | null;
}>;

export type NextStep =
  | Readonly<{ kind: 'do'; step: StepName; deadlineMs: Ms }>
  | Readonly<{ kind: 'undo'; step: StepName; deadlineMs: Ms; outcome: SagaOutcome; reason: string }>
  | Readonly<{ kind: 'close'; outcome: SagaOutcome; reason: string; freeze: string | null }>
  | Readonly<{ kind: 'wait'; reason: string }>;

/**
 * The next-step rule. The journal says what was attempted; the pointer says which side of the point of no return we are
 * on, and it wins over the journal. First match:
 *
 * 1. past the point of no return (the pointer is ours, or its publication was read back; a kind without a publication:
 *    everything before is done): forward only, left-overs are debt;
 * 2. the pointer is of a stranger: close, freeze the group, overwrite nothing;
 * 3. publish attempted and the center silent: wait; at `maxOpenMs` nobody knows how it ended, a person must look;
 * 4. something failed, a person aborts, or `maxOpenMs` passed: take back what was attempted, last first, a publication before all else;
 * 5. else the first step not done.
 */
export function nextStep(plan: SagaPlan, saga: SagaRecord, world: SagaWorld): NextStep {
  if (isPastReturn(plan, saga, world)) return forward(plan, saga, world);
  const stranger = strangersPointer(saga, world);
  if (stranger !== null) return yieldToStranger(plan, saga, world, stranger);
  const overdue = world.openForMs >= plan.maxOpenMs;
  if (world.pointer === 'silent' && publishOutcomeOpen(saga)) {
    if (!overdue) return { kind: 'wait', reason: 'publish was attempted and the config center is silent' };
    const reason = `publish was attempted and the config center was silent for ${plan.maxOpenMs} ms`;
    return { kind: 'close', outcome: 'NEEDS_OPERATOR', reason, freeze: reason };
  }
  const failure =
    failureOf(saga, world) ??
    (world.abort ? { outcome: 'ABORTED' as const, reason: world.abort.reason } : null) ??
    (overdue ? { outcome: 'FAILED' as const, reason: 'open for too long' } : null);
  if (failure !== null) return backward(plan, saga, world, failure);
  const step = plan.steps.find((p) => !isDone(saga, p, world.term));
  if (step === undefined || step.phase === 'after') {
    return backward(plan, saga, world, {
      outcome: 'FAILED',
      reason: 'the publication was recorded but is not in the config center',
    });
  }
  return { kind: 'do', step: step.step, deadlineMs: step.deadlineMs };
}

/** Publish happened: the journal has its evidence, or the center shows it. */
export const isPublished = (saga: SagaRecord, world: SagaWorld): boolean =>
  has(saga, 'publish', 'do', 'done') ||
  (typeof world.pointer === 'object' &&
    world.pointer.sagaId === saga.id &&
    world.pointer.epoch === saga.epoch &&
    world.pointer.active === saga.target);

/** Whether the saga can only go forward. */
export function isPastReturn(plan: SagaPlan, saga: SagaRecord, world: SagaWorld): boolean {
  const turn = plan.steps.find((p) => p.phase === 'return');
  if (turn === undefined) {
    return plan.steps.every((p) => p.phase !== 'before' || has(saga, p.step, 'do', 'done')) && !isWalkingBack(saga);
  }
  return turn.step === 'publish' ? isPublished(saga, world) : has(saga, turn.step, 'do', 'done');
}

const isWalkingBack = (saga: SagaRecord): boolean => saga.journal.some((e) => e.direction === 'undo');

function forward(plan: SagaPlan, saga: SagaRecord, world: SagaWorld): NextStep {
  const overdue = world.openForMs >= plan.maxOpenMs;
  const pending = plan.steps.find(
    (p) =>
      p.phase !== 'before' &&
      !has(saga, p.step, 'do', 'done') &&
      !has(saga, p.step, 'do', 'failed', p.phase === 'after'),
  );
  // An overdue saga skips what only looks; what must stay true after it is still made so.
  const skippable = overdue && pending?.phase === 'after' && !pending.essential;
  const step = skippable
    ? plan.steps.find((p) => p.essential && p.phase === 'after' && !has(saga, p.step, 'do', 'done'))
    : pending;
  if (step !== undefined && step.step !== 'close') return { kind: 'do', step: step.step, deadlineMs: step.deadlineMs };
  const debt = debtOf(plan, saga);
  const outcome = debt.length === 0 ? 'DONE' : 'DONE_WITH_DEBT';
  return {
    kind: 'close',
    outcome,
    reason: debt.length === 0 ? 'all steps done' : `left over: ${debt.map((step) => leftOver(saga, step)).join('; ')}`,
    freeze: null,
  };
}

/** Steps after publish without evidence of success. */
export const debtOf = (plan: SagaPlan, saga: SagaRecord): readonly StepName[] =>
  plan.steps
    .filter((p) => p.phase === 'after' && p.step !== 'close' && !has(saga, p.step, 'do', 'done'))
    .map((p) => p.step);

/** With the reason that the step gave, if it came to give one: it is what a person reads first. */
function leftOver(saga: SagaRecord, step: StepName): string {
  const failed = saga.journal.findLast((e) => e.step === step && e.direction === 'do' && e.event === 'failed');
  return failed === undefined ? step : `${step} (${reasonIn(failed)})`;
}

type Failure = Readonly<{ outcome: SagaOutcome; reason: string }>;

function backward(plan: SagaPlan, saga: SagaRecord, world: SagaWorld, failure: Failure): NextStep {
  const [first] = toTakeBack(plan, saga, failure.outcome);
  if (first === undefined) return { kind: 'close', ...failure, freeze: null };
  const deadlineMs = first.undoDeadlineMs ?? 0;
  if (first.step === 'publish' && world.openForMs >= plan.maxOpenMs + deadlineMs) {
    // Unfencing the source now could leave two open clusters: the late publication may still arrive.
    const reason = 'publish was attempted and the old cluster could not be published again';
    return { kind: 'close', outcome: 'NEEDS_OPERATOR', reason, freeze: reason };
  }
  if (PUBLICATIONS.has(first.step) && world.openForMs >= plan.maxOpenMs + deadlineMs) {
    const reason = `${failure.reason}; clients were told to drain and could not be told otherwise: it runs out by itself`;
    return { kind: 'close', outcome: 'NEEDS_OPERATOR', reason, freeze: null };
  }
  return { kind: 'undo', step: first.step, deadlineMs, ...failure };
}

/** Attempted steps with a compensation that has not been carried out, last first. */
const toTakeBack = (plan: SagaPlan, saga: SagaRecord, outcome: SagaOutcome): readonly PlannedStep[] =>
  plan.steps
    .filter((p) => p.undoDeadlineMs !== null && has(saga, p.step, 'do', 'intent') && !p.keptOn.includes(outcome))
    .filter(
      (p) =>
        !has(saga, p.step, 'undo', 'done') && (PUBLICATIONS.has(p.step) || undoFailures(saga, p.step) < UNDO_ATTEMPTS),
    )
    .toReversed();

/** A compensation that only fails must not hold the saga open for ever: its goal stays, and a person is told. */
const UNDO_ATTEMPTS = 3;

const undoFailures = (saga: SagaRecord, step: StepName): number =>
  saga.journal.filter((e) => e.step === step && e.direction === 'undo' && e.event === 'failed').length;

/** Steps whose compensation is a publication. */
const PUBLICATIONS: ReadonlySet<StepName> = new Set(['drain', 'publish']);

/** Nothing of a stranger's is overwritten; our own effects are taken back unless it made the target active. */
function yieldToStranger(plan: SagaPlan, saga: SagaRecord, world: SagaWorld, reason: string): NextStep {
  const close: NextStep = { kind: 'close', outcome: 'NEEDS_OPERATOR', reason, freeze: reason };
  if (typeof world.pointer === 'object' && world.pointer.active === saga.target) return close;
  const first = toTakeBack(plan, saga, 'NEEDS_OPERATOR').find((p) => !PUBLICATIONS.has(p.step));
  if (first === undefined) return close;
  return { kind: 'undo', step: first.step, deadlineMs: first.undoDeadlineMs ?? 0, outcome: 'NEEDS_OPERATOR', reason };
}

function strangersPointer(saga: SagaRecord, world: SagaWorld): string | null {
  const { pointer } = world;
  if (pointer === 'silent') return null;
  if (pointer === 'absent') return 'the config center lost the pointer of the group';
  if (pointer.sagaId === saga.id) return null;
  if (pointer.epoch === saga.fromEpoch && pointer.active === saga.source) return null;
  return `the config center holds epoch ${pointer.epoch} with ${pointer.active} active, which saga ${saga.id} did not publish`;
}

/** Publish was attempted and no compensating publication has been read back. */
export const publishOutcomeOpen = (saga: SagaRecord): boolean =>
  has(saga, 'publish', 'do', 'intent') && !has(saga, 'publish', 'undo', 'done');

/** Compensation has begun: it is never turned round, except by our own publication found in the center. */
function failureOf(saga: SagaRecord, world: SagaWorld): Failure | null {
  const failed = saga.journal.find((e) => e.direction === 'do' && e.event === 'failed');
  const undoing = saga.journal.find((e) => e.direction === 'undo');
  const entry = failed ?? undoing;
  if (entry !== undefined) return { outcome: outcomeIn(entry) ?? 'FAILED', reason: reasonIn(entry) };
  const { pointer } = world;
  const ours = typeof pointer === 'object' && pointer.sagaId === saga.id;
  // Above the saga's epoch: below it lie the DRAIN and HOLD of the same cluster, which are no way back.
  if (ours && pointer.active === saga.source && pointer.epoch > saga.epoch) {
    return { outcome: 'FAILED', reason: 'the old cluster was published again' };
  }
  return null;
}

const OUTCOMES: readonly SagaOutcome[] = [
  'NOT_CONFIRMED',
  'ABORTED',
  'RECOVERED',
  'SOURCE_LOST',
  'FAILED',
  'NEEDS_OPERATOR',
];

function outcomeIn(entry: JournalEntry): SagaOutcome | null {
  const value = fieldOf(entry, 'outcome');
  return OUTCOMES.find((o) => o === value) ?? null;
}

const reasonIn = (entry: JournalEntry): string => {
  const value = fieldOf(entry, 'reason');
  return typeof value === 'string' ? value : `${entry.step} failed`;
};

const fieldOf = (entry: JournalEntry, name: string): unknown => {
  const { evidence } = entry;
  if (evidence === null || typeof evidence !== 'object') return undefined;
  return Object.entries(evidence).find(([key]) => key === name)?.[1];
};

function isDone(saga: SagaRecord, planned: PlannedStep, term: number): boolean {
  return saga.journal.some(
    (e) =>
      e.step === planned.step && e.direction === 'do' && e.event === 'done' && (!planned.lookAgain || e.term === term),
  );
}

function has(
  saga: SagaRecord,
  step: StepName,
  direction: JournalEntry['direction'],
  event: JournalEntry['event'],
  when = true,
): boolean {
  return when && saga.journal.some((e) => e.step === step && e.direction === direction && e.event === event);
}
