import type { StepName } from '#failover';

/** Called right before and right after the effect of every step, so that a crash at each boundary can be proved (I22). */
export type CrashPoint = (when: 'before' | 'after', step: StepName) => void | Promise<void>;

export const noCrash: CrashPoint = () => undefined;

/** `before|after:<step>` (POINTSMAN_CRASH): the process kills itself there as kill -9 would, without any clean-up. */
export function crashAt(point: string | null): CrashPoint {
  if (point === null) return noCrash;
  return (when, step) => {
    if (`${when}:${step}` !== point) return;
    process.kill(process.pid, 'SIGKILL');
    return new Promise<void>(() => undefined); // nothing after this line may run while the signal is on its way
  };
}

/** What an injected crash point throws in tests: it must never be taken for a step or a commit that failed. */
export class CrashedHere extends Error {
  override readonly name = 'CrashedHere';
}
