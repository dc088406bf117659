import {
  judgeLoss,
  offeredChoices,
  tailRanges,
  type CommandBody,
  type Json,
  type LossEstimate,
  type LossJudgement,
  type OfferedChoices,
  type SagaRecord,
  type SeamFinding,
  type SeamPosition,
  type TailCommand,
  type TailOutput,
  type TailPartition,
  type TailRange,
  writtenBy,
} from '#failover';
import { ask, byPartition, pollUntil, positionKey, type Asking } from '../agent-calls.js';
import type { Switch } from '../present-switch.js';
import { evidenceOf, valueOf } from '../saga-journal.js';
import { StepFailure } from '../steps/step.js';

/** What is read of a cluster that came back, by the survey and by the rejoin alike. Nothing here changes a cluster. */

/** Records compared before each S. */
const SEAM_RECORDS = 64;
const MAX_LISTED = 200;

/** `missing`: partitions of the switch that the old side has no more; they are in no row. */
export type Returned = Switch & Readonly<{ missing: readonly string[] }>;

/** The ledger's rows with E_a as it is: read twice, equal, some time apart. A log that still grows has a writer. */
export async function readReturned(ctx: Asking, of: Switch, signal: AbortSignal): Promise<Returned> {
  const topics = [...new Set(of.rows.map((row) => row.topic))];
  let problem = 'not asked';
  const ends = await pollUntil(ctx, signal, async () => {
    const [first, second] = [await readEnds(ctx, of.from, topics, signal), null];
    if (!first.ok) {
      problem = first.detail;
      return second;
    }
    await ctx.time.sleep(ctx.times.refusalSpacingMs, signal);
    const again = await readEnds(ctx, of.from, topics, signal);
    if (!again.ok) problem = again.detail;
    else if (again.ends.every((e) => first.byKey.get(positionKey(e)) === e.offset)) return again.byKey;
    else problem = 'its end offsets still move: somebody writes there';
    return null;
  });
  if (ends === null) throw new StepFailure('FAILED', `the end of ${of.from} could not be read: ${problem}`);
  const there = of.rows.filter((row) => ends.has(positionKey(row)));
  const rows = there.map((row) => ({ ...row, sourceEnd: ends.get(positionKey(row)) ?? null, sourceEndAgeMs: 0 }));
  const missing = of.rows.filter((row) => !ends.has(positionKey(row))).map(positionKey);
  return { ...of, rows, missing };
}

export function mustBeWhole(of: Returned): Returned {
  if (of.missing.length === 0) return of;
  const which = of.missing.slice(0, 3).join(', ');
  throw new StepFailure('ABORTED', `${of.from} has no ${which} any more: rejoin with --choice rebuild`);
}

async function readEnds(ctx: Asking, cluster: string, topics: readonly string[], signal: AbortSignal) {
  const answer = await ask(ctx, cluster, { kind: 'read_end_offsets', cluster, topics }, signal);
  if (!answer.ok) return { ok: false, detail: answer.detail } as const;
  return { ok: true, ends: answer.output.ends, byKey: byPartition(answer.output.ends) } as const;
}

export type Proof = Readonly<{ findings: readonly SeamFinding[]; offered: OfferedChoices; of: Switch }>;

/**
 * Where the copy ends in the returned log; the ledger's N becomes that place, for N was a lower bound. A partition that is
 * missing objects as one that came back shorter does.
 */
export async function proveReturned(ctx: Asking, of: Returned, signal: AbortSignal): Promise<Proof> {
  const positions = of.rows.map((row): SeamPosition => ({
    topic: row.topic,
    partition: row.partition,
    s: row.s,
    n: row.n,
    end: row.sourceEnd ?? 0,
  }));
  const body = { kind: 'prove_seam', from: of.from, to: of.to, positions, records: SEAM_RECORDS } as const;
  const { findings } = positions.length === 0 ? { findings: [] } : await carryOn(ctx, of.from, body, signal);
  const copied = new Map(
    findings.flatMap((f) => (f.seam.verdict === 'proved' ? [[positionKey(f), f.seam.lastCopied] as const] : [])),
  );
  const rows = of.rows.map((row) => ({ ...row, n: copied.get(positionKey(row)) ?? row.n }));
  return { findings, offered: offeredChoices(findings, of.missing), of: { ...of, rows } };
}

/** Of a switch whose seam is proved: behind N up to E_a. */
export const rangesOf = (of: Switch): readonly TailRange[] =>
  of.rows.flatMap((row) => {
    const from = (row.n ?? -1) + 1;
    const to = row.sourceEnd ?? 0;
    return from < to ? [{ topic: row.topic, partition: row.partition, from, to }] : [];
  });

export type Tail = Readonly<{
  records: number;
  bytes: number;
  path: string;
  agent: string;
  partitions: readonly TailPartition[];
  loss: LossJudgement;
}>;

/** The tail counted and listed, and the count held against what was estimated when the switch was decided (I35). */
export async function reportReturned(
  ctx: Asking,
  of: Switch,
  history: readonly SagaRecord[],
  signal: AbortSignal,
): Promise<Tail> {
  const body = { kind: 'report_tail', cluster: of.from, ranges: rangesOf(of) } as const;
  const { records, bytes, path, partitions, agent } = await carryOn(ctx, of.from, body, signal);
  return { records, bytes, path, agent, partitions, loss: judgeLoss(estimateOf(history, of.epoch), records) };
}

/** What the report of the switch said. */
function estimateOf(history: readonly SagaRecord[], epoch: number): LossEstimate {
  const saga = history.find((s) => s.epoch === epoch);
  const loss = saga === undefined ? null : valueOf(evidenceOf(saga, 'close'), 'loss');
  const figure = (name: string): number | null => {
    const value = valueOf(loss, name);
    return typeof value === 'number' ? value : null;
  };
  return {
    knownRecords: figure('knownRecords'),
    estimatedRecords: figure('estimatedRecords'),
    atLeast: valueOf(loss, 'atLeast') === true,
  };
}

type OutputOf<B extends TailCommand> = Extract<TailOutput, { kind: (typeof ANSWERS)[B['kind']] }>;
const ANSWERS = {
  prove_seam: 'seam_proof',
  report_tail: 'tail_report',
  export_tail: 'tail_export',
  replay_tail: 'tail_replay',
} as const satisfies Record<TailCommand['kind'], TailOutput['kind']>;

/**
 * An agent writes on for 30 s after it was last asked, and one request of it may take 20 s more; with room for a question under
 * way when this one begins to count (5 s), and for both clocks.
 */
export const WORK_LEFT_MS = 60_000;

/**
 * Asks one agent, the cluster's own, until its work has ended: a second one that writes beside it would write everything twice. So
 * the agent that was asked first is kept; if it goes, it is waited for, and another one begins only when its time is certainly over.
 * The work goes on in the agent when this gives up; whoever asks next joins it. `mayBeAtWork`: an agent that is not known
 * here may have been asked a moment ago.
 */
export async function carryOn<B extends TailCommand & CommandBody>(
  ctx: Asking,
  cluster: string,
  body: B,
  signal: AbortSignal,
  mayBeAtWork = false,
): Promise<OutputOf<B> & Readonly<{ agent: string }>> {
  let problem = 'not asked';
  let first: string | null = null;
  const leftMs = writtenBy(body) === null ? 0 : WORK_LEFT_MS;
  let freeAtMs = mayBeAtWork ? ctx.time.monotonicMs() + leftMs : Number.NEGATIVE_INFINITY;
  const done = await pollUntil(ctx, signal, async () => {
    const able = ctx.gateway.agentsFor(cluster);
    if (first === null || !able.includes(first)) {
      if (ctx.time.monotonicMs() < freeAtMs) {
        problem = `${first ?? 'an agent that another leader asked'} may still be at work: no other begins beside it`;
        return null;
      }
      first = able[0] ?? null;
    }
    const answer = await ask<TailCommand>(ctx, cluster, body, signal, first === null ? [] : [first]);
    if (first !== null) freeAtMs = ctx.time.monotonicMs() + leftMs;
    if (!answer.ok) problem = answer.detail;
    else if (answer.output.kind === ANSWERS[body.kind] && answer.output.progress.finished) {
      return { ...(answer.output as OutputOf<B>), agent: answer.agent };
    } else problem = `${answer.output.progress.done} of ${answer.output.progress.total} so far; it goes on: ask again`;
    return null;
  });
  if (done === null) throw new StepFailure('FAILED', `${body.kind} did not end in time: ${problem}`);
  return done;
}

/** For the journal, the event and the API: bounded, the whole listing is in the file. */
export const tailEvidence = (tail: Tail): { readonly [key: string]: Json } => ({
  records: tail.records,
  bytes: tail.bytes,
  path: tail.path,
  agent: tail.agent,
  loss: { ...tail.loss },
  partitions: tail.partitions
    .filter((p) => p.records > 0)
    .slice(0, MAX_LISTED)
    .map((p) => ({
      ...p,
      first: p.first === null ? null : { ...p.first },
      last: p.last === null ? null : { ...p.last },
    })),
});

export const proofEvidence = ({ findings, offered }: Proof): { readonly [key: string]: Json } => ({
  partitions: findings.length,
  compared: findings.reduce((n, f) => n + (f.seam.verdict === 'proved' ? f.seam.compared : 0), 0),
  tailAtMost: tailRanges(findings).reduce((n, r) => n + r.to - r.from, 0),
  choices: [...offered.choices],
  objections: offered.reasons.slice(0, MAX_LISTED),
});
