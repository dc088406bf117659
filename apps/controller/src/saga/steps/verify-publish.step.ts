import { type AdoptionShare, adoptionShare, type ClientReport } from '#config-center';
import { pollUntil } from '../agent-calls.js';
import { within } from '../saga-time.js';
import { writeCheck } from '../write-check.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';
import { unwrappedOnSource } from './unwrapped-on-source.js';

/**
 * What clients will see: the pointer as read back, and a write on the new active cluster. Then a share of the wrapped
 * clients is waited for, but only for a while: those of a dead IDC never come, and nothing is undone for a straggler.
 */
export const verifyPublish: Step = {
  name: 'verify-publish',
  async run(ctx, signal): Promise<StepResult> {
    let missing = 'not looked at';
    const seen = await pollUntil(ctx, signal, async () => {
      missing = (await pointerProblem(ctx, signal)) ?? (await writeProblem(ctx, signal)) ?? '';
      return missing === '' ? true : null;
    });
    if (seen === null) throw new StepFailure('FAILED', `after publish: ${missing}`, { missing });
    const behind = ctx.publishing.behind(ctx.saga.group);
    const adoption = await waitForClients(ctx, signal);
    const summary = `read back, a write on ${ctx.saga.target} is accepted; ${adoption.says}`;
    return { evidence: { summary, behind, adoption: { ...adoption } } };
  },
};

type Adoption = Readonly<{
  says: string;
  known: number;
  adopted: number;
  waitedMs: number;
  stragglers: readonly string[];
  unwrapped: readonly string[]; // who goes on at the old side and follows no pointer
}>;

const LISTED_STRAGGLERS = 50;

async function waitForClients(ctx: StepContext, signal: AbortSignal): Promise<Adoption> {
  const { share, waitMs } = ctx.group.policy.adoption;
  const startedAtMs = ctx.time.monotonicMs();
  const pointer = { epoch: ctx.saga.epoch, mode: 'ACTIVE' } as const;
  let last: AdoptionShare = { known: 0, adopted: 0, share: 0, stragglers: [] };
  let reports: readonly ClientReport[] = [];
  let problem: string | null = 'not looked at';
  await pollUntil(ctx, signal, async () => {
    const over = ctx.time.monotonicMs() - startedAtMs >= waitMs;
    try {
      reports = await within(ctx.publishing.adoptions(ctx.saga.group), signal);
      last = adoptionShare(reports, pointer);
      problem = null;
    } catch (error) {
      signal.throwIfAborted();
      problem = error instanceof Error ? error.message : String(error);
    }
    return over || (problem === null && last.share >= share) ? true : null;
  });
  const stragglers = last.stragglers.slice(0, LISTED_STRAGGLERS).map((r) => `${r.kind} ${r.name} (${r.instance})`);
  const waitedMs = Math.round(ctx.time.monotonicMs() - startedAtMs);
  const unwrapped = await unwrappedOnSource(ctx, reports, waitedMs, signal);
  const count = last.known === 0 ? 'no client has reported itself' : `${last.adopted} of ${last.known} clients follow`;
  return {
    says: [problem === null ? count : `clients could not be read: ${problem}`, ...unwrapped].join('; '),
    known: last.known,
    adopted: last.adopted,
    waitedMs,
    stragglers,
    unwrapped,
  };
}

async function pointerProblem(ctx: StepContext, signal: AbortSignal): Promise<string | null> {
  try {
    const pointer = await within(ctx.publishing.read(ctx.saga.group), signal);
    return pointer?.epoch === ctx.saga.epoch ? null : `the pointer reads epoch ${pointer?.epoch ?? 'none'}`;
  } catch (error) {
    signal.throwIfAborted();
    return `the pointer could not be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function writeProblem(ctx: StepContext, signal: AbortSignal): Promise<string | null> {
  const written = await writeCheck(ctx, ctx.saga.target, signal);
  if (!written.ok) return written.detail;
  return written.output.accepted ? null : `a write was refused: ${written.output.detail}`;
}
