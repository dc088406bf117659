import { StoreUnavailableError } from '../persistence/authority-store.port.js';
import { type SagaTime, within } from './saga-time.js';

/**
 * Asks the store again for as long as it gives no answer and `signal` allows: a step has its deadline for that, and a store
 * that is silent for a moment is no reason to walk back. What it refused it will refuse for ever. `ask` may run twice.
 */
export async function askStore<T>(
  ask: () => Promise<T>,
  { time, retryMs }: Readonly<{ time: Pick<SagaTime, 'sleep'>; retryMs: number }>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await within(ask(), signal);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      await time.sleep(retryMs, signal).catch(() => {
        throw error; // the store's silence is what there is to tell, not that the time for it is up
      });
    }
  }
}
