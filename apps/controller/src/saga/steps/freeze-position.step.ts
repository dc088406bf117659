import { knownLossRecords, type Json, type PartitionLag, type PartitionOffset } from '#failover';
import type { LedgerRow } from '../../persistence/authority-store.port.js';
import { ask, byPartition, pollUntil, positionKey } from '../agent-calls.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * What bridges the two logs for ever: S (ends of the target), N (last source offset replicated), E_a (last seen end of
 * the source, with its age). Written once. A later leader only compares: a target that grew since then has a stray
 * writer, and a switch now would bury its records between the tail and the new ones.
 */
export const freezePosition: Step = {
  name: 'freeze-position',
  async run(ctx, signal): Promise<StepResult> {
    const frozen = await ctx.ledger();
    if (frozen.length > 0) return { evidence: await compare(ctx, frozen, signal) };
    const ends = await targetEnds(ctx, signal);
    const { positions, via } = await replicated(ctx, signal);
    const source = await sourceEnds(ctx, signal);
    const rows = ends.map((end): LedgerRow => {
      const key = positionKey(end);
      const seen = source.get(key);
      return {
        group: ctx.saga.group,
        epoch: ctx.saga.epoch,
        from: ctx.saga.source,
        to: ctx.saga.target,
        topic: end.topic,
        partition: end.partition,
        s: end.offset,
        n: positions.get(key) ?? null,
        sourceEnd: seen?.end ?? null,
        sourceEndAgeMs: seen === undefined ? null : Math.round(seen.ageMs),
      };
    });
    return { evidence: { ...spread(frozenEvidence(rows)), via }, commit: (tx) => tx.saveLedger(rows) };
  },
};

/** Σ E_a − (N+1); null when no position could be read. A partition without a position never had a record replicated. */
export function knownLoss(rows: readonly LedgerRow[]): number | null {
  if (rows.length > 0 && rows.every((row) => row.n === null)) return null;
  return knownLossRecords(rows.map((row) => ({ sourceEnd: row.sourceEnd, replicated: (row.n ?? -1) + 1 })));
}

function frozenEvidence(rows: readonly LedgerRow[]): Json {
  const knownLost = knownLoss(rows);
  const oldestMs = rows.reduce<number | null>((max, r) => Math.max(max ?? 0, r.sourceEndAgeMs ?? 0), null);
  return {
    summary: `${rows.length} partitions frozen, ${knownLost ?? 'unknown'} records known lost`,
    partitions: rows.length,
    knownLostRecords: knownLost,
    unreadable: rows.filter((r) => r.n === null).length,
    sourceEndAgeMs: oldestMs,
  };
}

async function targetEnds(ctx: StepContext, signal: AbortSignal): Promise<readonly PartitionOffset[]> {
  const { target } = ctx.saga;
  const body = { kind: 'read_end_offsets', cluster: target, topics: ctx.group.watch.topics } as const;
  let problem = '';
  const ends = await pollUntil(ctx, signal, async () => {
    const answer = await ask(ctx, target, body, signal);
    if (!answer.ok) problem = answer.detail;
    return answer.ok ? answer.output.ends : null;
  });
  if (ends === null) throw new StepFailure('FAILED', `end offsets of ${target} could not be read: ${problem}`);
  return ends;
}

/** N per partition. Asked a few times only: an unreadable N is written as unknown, it does not hold up the switch. */
async function replicated(ctx: StepContext, signal: AbortSignal): Promise<Replicated> {
  const { source, target } = ctx.saga;
  const flow = ctx.group.watch.flows.find((f) => f.from === source && f.to === target);
  if (flow === undefined) return NOT_READ;
  const { connectors } = flow;
  const body = {
    kind: 'read_replication_position',
    from: source,
    to: target,
    connectors,
    topics: ctx.group.watch.topics,
  } as const;
  for (let attempt = 1; attempt <= POSITION_ATTEMPTS; attempt++) {
    const answer = await ask(ctx, target, body, signal);
    if (answer.ok) return { positions: byPartition(answer.output.positions), via: answer.output.via };
    await ctx.time.sleep(ctx.times.pollMs, signal);
  }
  return NOT_READ;
}

/** `via`: a worker that says so of a stopped flow has the last word (final); the topic may lack what a killed one copied. */
type Replicated = Readonly<{ positions: ReadonlyMap<string, number>; via: 'connect' | 'topic' | null }>;
const NOT_READ: Replicated = { positions: new Map(), via: null };

const POSITION_ATTEMPTS = 3;

type SeenEnd = Readonly<{ end: number; ageMs: number }>;

/** E_a: the last that was seen, with its age. A cluster that just died is not asked; one that may still answer is read by its agent's samples. */
async function sourceEnds(ctx: StepContext, signal: AbortSignal): Promise<ReadonlyMap<string, SeenEnd>> {
  signal.throwIfAborted();
  const { source, target } = ctx.saga;
  if (ctx.plan.needsSource) {
    const body = { kind: 'read_end_offsets', cluster: source, topics: ctx.group.watch.topics } as const;
    const answer = await ask(ctx, source, body, signal);
    if (answer.ok) return new Map(answer.output.ends.map((o) => [positionKey(o), { end: o.offset, ageMs: 0 }]));
  }
  const { snapshot } = ctx.evaluate();
  const flow = snapshot.flows.find((f) => f.from === source && f.to === target);
  return new Map((flow?.perPartition ?? []).flatMap((lag) => seenEnd(lag)));
}

const seenEnd = (lag: PartitionLag): readonly (readonly [string, SeenEnd])[] =>
  lag.sourceEnd === null ? [] : [[positionKey(lag), { end: lag.sourceEnd, ageMs: lag.sourceEndAgeMs ?? 0 }]];

async function compare(ctx: StepContext, frozen: readonly LedgerRow[], signal: AbortSignal): Promise<Json> {
  const opened = ctx.saga.journal.some((e) => e.step === 'unfence-target' && e.direction === 'do');
  if (opened)
    return {
      ...spread(frozenEvidence(frozen)),
      summary: 'frozen before; the target was opened since, so its end may grow',
    };
  const now = byPartition(await targetEnds(ctx, signal));
  const grown = frozen.filter((row) => (now.get(positionKey(row)) ?? row.s) !== row.s);
  if (grown.length > 0) {
    throw new StepFailure('FAILED', `${ctx.saga.target} grew after the freeze: somebody writes there`, {
      partitions: grown.map((row) => ({
        partition: positionKey(row),
        frozen: row.s,
        now: now.get(positionKey(row)) ?? null,
      })),
    });
  }
  return frozenEvidence(frozen);
}

const spread = (evidence: Json): { readonly [key: string]: Json } =>
  evidence !== null && typeof evidence === 'object' && !Array.isArray(evidence)
    ? (evidence as { readonly [key: string]: Json })
    : {};
