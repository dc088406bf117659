import { setTimeout as delay } from 'node:timers/promises';
import { startLab, waitFor } from '#lab';
import { z } from 'zod';
import { parseDurationMs } from '#platform';
import { FAST_PROFILE, Installation } from '../installation/index.js';
import { measureFloor } from './floor/switch-floor.js';

export type Step = Readonly<{ step: string; ms: number }>;

export type FailoverRun = Readonly<{
  row: number;
  windowMs: number;
  floorMs: number;
  publishedMs: number; // after the kill
  detectMs: number;
  confirmMs: number; // the window and what it overran
  actMs: number; // from the window's end to the published pointer
  steps: readonly Step[];
}>;

const SETTLED_MS = 3_000;
const GIVE_UP_MS = 90_000;

const sagaSchema = z.object({
  outcome: z.string().nullable(),
  row: z.number(),
  journal: z.array(z.object({ step: z.string(), event: z.string(), evidence: z.unknown() })),
});
const reportSchema = z.object({
  rto: z.object({ detectMs: z.number(), confirmMs: z.number(), actMs: z.number() }),
  steps: z.array(z.object({ step: z.string(), direction: z.string(), event: z.string(), ms: z.number().nullable() })),
});
const WINDOW_OF_ROW: Readonly<Record<number, keyof typeof FAST_PROFILE.windows>> = {
  400: 'attested',
  405: 'service',
  410: 'isolated',
};

/** One fresh lab, the floor on its store, then IDC a is killed with the leading controller in it. */
export async function runFailover(say: (line: string) => void): Promise<FailoverRun> {
  const lab = await startLab({ sessionProfile: 'fast' });
  try {
    await Promise.all((['a', 'b'] as const).map((c) => lab.createTopic(c, { name: 'orders', partitions: 3 })));
    const flow = { topics: ['orders'], consumerGroups: ['billing'] };
    await lab.createFlow({ from: 'a', to: 'b', ...flow, state: 'RUNNING' });
    await lab.createFlow({ from: 'b', to: 'a', ...flow, state: 'STOPPED' });
    const installation = await Installation.start({ lab, profile: FAST_PROFILE });
    await installation.waitForSteady(GIVE_UP_MS);
    const floorMs = await measureFloor(await lab.postgresUrl('c'));
    await delay(SETTLED_MS);
    await installation.waitForSteady(GIVE_UP_MS);
    const killedAtMs = Date.now();
    await lab.kill({ idc: 'a' });
    const pointer = await installation.waitForPointer('b', 1, GIVE_UP_MS);
    const saga = await waitFor(
      'the saga is closed',
      async () => {
        const read = sagaSchema.parse(await installation.api('c').get(`/v1/sagas/${pointer.sagaId}`));
        return read.outcome === null ? undefined : read;
      },
      { timeoutMs: GIVE_UP_MS },
    );
    const report = reportSchema.parse(saga.journal.findLast((e) => e.step === 'close' && e.event === 'done')?.evidence);
    await installation.close();
    const window = WINDOW_OF_ROW[saga.row];
    const run: FailoverRun = {
      row: saga.row,
      windowMs: window === undefined ? Number.NaN : (parseDurationMs(FAST_PROFILE.windows[window]) ?? Number.NaN),
      floorMs,
      publishedMs: Date.parse(pointer.publishedAt) - killedAtMs,
      ...report.rto,
      steps: report.steps.flatMap((s) => (s.direction === 'do' && s.ms !== null ? [{ step: s.step, ms: s.ms }] : [])),
    };
    say(`failover by row ${run.row}: published ${run.publishedMs} ms after the kill`);
    return run;
  } finally {
    await lab.close();
  }
}
