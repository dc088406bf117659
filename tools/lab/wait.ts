import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 50;

/**
 * Polls until `attempt` returns something else than undefined. An attempt that throws counts as "not yet";
 * the last such error is the cause of the failure at the deadline.
 */
export async function waitFor<T>(
  what: string,
  attempt: () => Promise<T | undefined> | T | undefined,
  options: { readonly timeoutMs: number; readonly pollMs?: number; readonly giveUp?: () => string | undefined },
): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await attempt();
      if (value !== undefined) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    const reason = options.giveUp?.();
    if (reason !== undefined) throw new Error(`${what}: ${reason}`, { cause: lastError });
    if (Date.now() > deadline) {
      const detail = lastError instanceof Error ? `: ${lastError.message}` : '';
      throw new Error(`${what}: not within ${options.timeoutMs} ms${detail}`, { cause: lastError });
    }
    await delay(options.pollMs ?? POLL_MS);
  }
}
