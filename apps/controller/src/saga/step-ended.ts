import type { Json, StepName } from '#failover';
import { AbortedByPerson } from './saga-abort.js';
import { StepFailure } from './steps/step.js';

/** Nobody was told anything yet. */
const UNTOUCHED: ReadonlySet<StepName> = new Set(['check-publishable', 'announce', 'settle-groups']);

/** The evidence of a step that failed. Before the source is touched a failure aborts; after it the saga walks back. */
export function failure(step: StepName, error: unknown): Json {
  if (error instanceof AbortedByPerson) return { outcome: 'ABORTED', reason: error.message };
  if (error instanceof StepFailure) return { ...error.evidence, outcome: error.outcome, reason: error.message };
  const text = error instanceof Error ? error.message : String(error);
  return { outcome: UNTOUCHED.has(step) ? 'ABORTED' : 'FAILED', reason: `${step}: ${text}` };
}
