import { ask, byPartition, pollUntil } from '../agent-calls.js';
import { adoptionText, awaitAdoption } from './await-adoption.js';
import { publishMode } from './publish-mode.js';
import { publishSourceAgain } from './publish-pointer.step.js';
import type { Step, StepContext, StepResult } from './step.js';

/**
 * Wrapped producers flush and buffer before the fence meets them. That they did is seen by end offsets that stand still;
 * producers that know no pointer go on, so this is waited for only a while: the fence comes in any case.
 */
export const drainClients: Step = {
  name: 'drain',
  async run(ctx, signal): Promise<StepResult> {
    const told = await publishMode(ctx, { mode: 'DRAIN', maxMs: ctx.times.drainMs }, signal);
    const adoption = await awaitAdoption(ctx, told, ctx.times.quietMs, signal);
    const quiet = await waitQuiet(ctx, signal);
    const { source } = ctx.saga;
    const seen = quiet ? `end offsets of ${source} stand still` : `${source} is still written to`;
    return {
      evidence: {
        summary: `${told.mode} at epoch ${told.epoch} for ${told.maxMs} ms; ${seen}${adoptionText(adoption)}`,
        ...told,
        quiet,
        adoption,
      },
    };
  },
  undo: publishSourceAgain,
};

async function waitQuiet(ctx: StepContext, signal: AbortSignal): Promise<boolean> {
  const { time, times, saga } = ctx;
  const endsAtMs = time.monotonicMs() + times.quietMs;
  let before: ReadonlyMap<string, number> | null = null;
  const found = await pollUntil(ctx, signal, async () => {
    const body = { kind: 'read_end_offsets', cluster: saga.source, topics: ctx.group.watch.topics } as const;
    const answer = await ask(ctx, saga.source, body, signal);
    const now = answer.ok ? byPartition(answer.output.ends) : null;
    const same = now !== null && before !== null && [...now].every(([key, end]) => before?.get(key) === end);
    before = now;
    if (same) return 'quiet';
    if (time.monotonicMs() >= endsAtMs) return 'written';
    await time.sleep(times.quietSpacingMs, signal);
    return null;
  });
  return found === 'quiet';
}
