import { waitFor } from '#lab';
import { z } from 'zod';
import { DEMO_PROFILE } from '../installation/index.js';
import { parseDurationMs } from '#platform';
import type { Timeline } from './result.js';
import type { Kill } from './scenes.js';
import type { Stage } from './stage.js';

/** The close entry of a saga's journal carries its report. */
const sagaSchema = z.object({
  outcome: z.string().nullable(),
  row: z.number(),
  journal: z.array(z.object({ step: z.string(), event: z.string(), evidence: z.unknown() })),
});

const reportSchema = z.object({
  timeline: z.object({ publishedAt: z.string() }),
  rto: z.object({ detectMs: z.number(), confirmMs: z.number(), actMs: z.number() }),
  loss: z.object({ estimatedRecords: z.number().nullable() }),
});

const WINDOW_OF_ROW: Readonly<Record<number, keyof typeof DEMO_PROFILE.windows>> = {
  400: 'attested',
  405: 'service',
  410: 'isolated',
};

/** What the saga recorded of itself, once it is closed. */
export async function readTimeline(stage: Stage, kill: Kill): Promise<Timeline> {
  const saga = await waitFor(
    `saga ${kill.sagaId} is closed`,
    async () => {
      const read = sagaSchema.parse(await stage.installation.api('c').get(`/v1/sagas/${kill.sagaId}`));
      return read.outcome === null ? undefined : read;
    },
    { timeoutMs: 60_000 },
  );
  const close = saga.journal.findLast((e) => e.step === 'close' && e.event === 'done');
  const report = reportSchema.parse(close?.evidence);
  const window = WINDOW_OF_ROW[saga.row];
  if (window === undefined) throw new Error(`saga ${kill.sagaId} was opened by row ${saga.row}`);
  return {
    ...report.rto,
    publishedAtMs: Date.parse(report.timeline.publishedAt),
    windowMs: parseDurationMs(DEMO_PROFILE.windows[window]) ?? 0,
    estimatedLoss: report.loss.estimatedRecords,
  };
}
