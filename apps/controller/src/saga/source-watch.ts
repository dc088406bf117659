import type { SagaPlan } from '#failover';
import type { Decisions } from '../decision/decision.port.js';
import type { SagaTime } from './saga-time.js';
import { StepFailure } from './steps/step.js';

type Deps = Readonly<{ decisions: Decisions; time: SagaTime; everyMs: number }>;
export type Watch = Readonly<{ signal: AbortSignal; stop: () => void }>;

/**
 * Looks, while a step of a planned switch runs, whether its source still lives. A source that the votes call down ends the
 * saga as SOURCE_LOST: its fence stays, and the matrix, whose windows went on counting, judges it.
 */
export function watchSource(deps: Deps, plan: SagaPlan): Watch {
  const lost = new AbortController();
  const over = new AbortController();
  look(deps, plan, lost, over.signal).catch((error: unknown) => lost.abort(error)); // the step fails, and says so
  return { signal: lost.signal, stop: () => over.abort(new Error('the step is over')) };
}

async function look(deps: Deps, plan: SagaPlan, lost: AbortController, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const { decision } = deps.decisions.evaluate(plan.group);
    const verdict = decision.verdicts[plan.source]?.name ?? 'UNKNOWN';
    if (verdict === 'DOWN_ATTESTED' || verdict === 'DOWN_ISOLATED') {
      lost.abort(new StepFailure('SOURCE_LOST', `${plan.source} is ${verdict}: the matrix judges it`, { verdict }));
      return;
    }
    try {
      await deps.time.sleep(deps.everyMs, over);
    } catch {
      return; // the step is over
    }
  }
}
