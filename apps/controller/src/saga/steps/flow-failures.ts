import { type ConnectorFailure, connectorFailureText, type Json, type Snapshot } from '#failover';
import { StepFailure, type StepContext } from './step.js';

/** A failure that was last seen so long ago is another one when it comes back: restarted tasks run for a moment in between. */
const CALM_MS = 5_000;
/** In a sentence; the evidence holds them all. */
const MOST_NAMED = 3;

/** What a step knows of the connectors of the flow that it waits for, in Connect's own words. */
export interface FlowFailures {
  /** Whether anything of it has failed now; what it was is kept for the words of {@link failure}. */
  look(): boolean;
  /**
   * Looks, and throws when the flow has been failed for so long that nobody restarts it any more, as far as a saga can wait.
   * @param what what was waited for, and how far it came
   */
  mustRecover(what: string): void;
  /** The end of a step that waited in vain: with what has failed of the flow while it waited, if anything did. */
  failure(what: string, evidence?: { readonly [key: string]: Json }): StepFailure;
}

/** From now on. Agents restart what failed of a flow that is to run, at once and after ten seconds: it gets the time of both. */
export function watchFlow(ctx: StepContext, from: string, to: string): FlowFailures {
  let seen: readonly ConnectorFailure[] = [];
  let firstMs: number | null = null;
  let lastMs = 0;
  /** How long it has failed; null: it has not. */
  const look = (): number | null => {
    const now = failuresIn(ctx.evaluate().snapshot, from, to);
    if (now.length === 0) return null;
    const nowMs = ctx.time.monotonicMs();
    if (firstMs === null || nowMs - lastMs > CALM_MS) firstMs = nowMs;
    [seen, lastMs] = [now, nowMs];
    return nowMs - firstMs;
  };
  const failure: FlowFailures['failure'] = (what, evidence = {}) => {
    const untold = seen.map(connectorFailureText).filter((text) => !what.includes(text));
    const reason = [what, ...untold.slice(0, MOST_NAMED)].join('; ');
    return new StepFailure('FAILED', reason, { ...evidence, ...failureEvidence(seen) });
  };
  return {
    failure,
    look: () => look() !== null,
    mustRecover: (what) => {
      if ((look() ?? 0) >= ctx.times.failedFlowMs) throw failure(what);
    },
  };
}

/** As the newest report says; empty: nothing has failed, or nobody says so. */
export const failuresIn = ({ flows }: Pick<Snapshot, 'flows'>, from: string, to: string): readonly ConnectorFailure[] =>
  flows.find((f) => f.from === from && f.to === to)?.failures ?? [];

export const failureEvidence = (failures: readonly ConnectorFailure[]): { readonly [key: string]: Json } =>
  failures.length === 0 ? {} : { failures: failures.map((f) => ({ ...f })) };
