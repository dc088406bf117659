import { adoptionShare, type Pointer } from '#config-center';
import type { Json } from '#failover';
import { within } from '../saga-time.js';
import type { StepContext } from './step.js';

/**
 * Waits until every living client that reports itself has come as far as the pointer asks, or the bound is over. Advice, not
 * a condition: clients without the wrapper say nothing, and a silent config center must not hold up a switch. Evidence names
 * the stragglers.
 */
export async function awaitAdoption(
  ctx: StepContext,
  pointer: Pick<Pointer, 'epoch' | 'mode'>,
  boundMs: number,
  signal: AbortSignal,
): Promise<Json> {
  const { time, times } = ctx;
  const startedAtMs = time.monotonicMs();
  for (;;) {
    const share = await look(ctx, pointer, signal);
    const waitedMs = Math.round(time.monotonicMs() - startedAtMs);
    const over = waitedMs >= boundMs;
    if (share === null && over) return { known: null, waitedMs };
    if (share !== null && (share.stragglers.length === 0 || over)) {
      const stragglers = share.stragglers
        .slice(0, LISTED)
        .map((s) => `${s.kind} ${s.name} (${s.instance}): ${s.state}`);
      return { known: share.known, adopted: share.adopted, stragglers, waitedMs };
    }
    signal.throwIfAborted();
    await time.sleep(Math.min(times.pollMs * 2, boundMs), signal);
  }
}

const LISTED = 20;

async function look(
  ctx: StepContext,
  pointer: Pick<Pointer, 'epoch' | 'mode'>,
  signal: AbortSignal,
): Promise<ReturnType<typeof adoptionShare> | null> {
  const { group } = ctx.saga;
  try {
    return adoptionShare(await within(ctx.publishing.adoptions(group), signal), pointer);
  } catch {
    signal.throwIfAborted();
    return null; // asked again until the bound
  }
}

/** `3 of 4 clients`, or nothing where no client reports itself. */
export function adoptionText(adoption: Json): string {
  if (adoption === null || typeof adoption !== 'object' || Array.isArray(adoption)) return '';
  const { known, adopted } = Object.fromEntries(Object.entries(adoption));
  if (typeof known !== 'number' || typeof adopted !== 'number' || known === 0) return '';
  return `; ${adopted} of ${known} clients followed`;
}
