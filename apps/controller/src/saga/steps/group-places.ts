import {
  choosePosition,
  type ChosenPosition,
  type ConsumerGroupState,
  type PartitionOffset,
  type TranslatedOffset,
  type TranslatedTopic,
  type Translation,
} from '#failover';
import { positionKey } from '../agent-calls.js';

export type Log = Readonly<{ starts: readonly PartitionOffset[]; ends: ReadonlyMap<string, number> }>;

/** Where one group resumes on one partition, and on what ground. `from` null: its position on the source is not known. */
export type Place = Readonly<
  ChosenPosition & {
    topic: string;
    partition: number;
    from: number | null;
    fromAgeMs: number | null;
    held: number | null;
  }
>;
export type Places = Readonly<{
  places: readonly Place[];
  changes: readonly PartitionOffset[];
  kept: number;
  corrected: number;
  earliest: number;
}>;

/** Where a group must stand on every partition of the target's log, and what has to change for it. Never outside the log (I34). */
export function placesFor(
  log: Log,
  committed: ReadonlyMap<string, number>,
  translated: ReadonlyMap<string, TranslatedOffset> = new Map(),
): Places {
  const places = log.starts.map((start): Place => {
    const key = positionKey(start);
    const t = translated.get(key) ?? null;
    const at = committed.get(key);
    const held = at === undefined || at < 0 ? null : at;
    const chosen = choosePosition({
      upstream: t?.upstream ?? null,
      translation: t === null ? null : translationOf(t),
      checkpoint: t?.checkpoint ?? null,
      held,
      logStart: start.offset,
      logEnd: log.ends.get(key) ?? start.offset,
    });
    const { topic, partition } = start;
    return { ...chosen, topic, partition, from: t?.upstream ?? null, fromAgeMs: t?.upstreamAgeMs ?? null, held };
  });
  const changed = places.filter((p) => p.offset !== p.held);
  return {
    places,
    changes: changed.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
    kept: places.length - changed.length,
    corrected: changed.filter((p) => p.by !== 'earliest').length,
    earliest: changed.filter((p) => p.by === 'earliest').length,
  };
}

const translationOf = (t: TranslatedOffset): Translation =>
  t.offset === null || t.confidence === 'NONE'
    ? { confidence: 'NONE', offset: null, rereadAtMost: null }
    : { confidence: t.confidence, offset: t.offset, rereadAtMost: t.rereadAtMost };

/**
 * `set`: stands where it should, read back. `created`: the target did not know it. `active`: it consumes there already,
 * its own commits are newer than anything known here. `unknown`: neither side knows it; it begins at the log's start.
 */
export type GroupOutcome = 'set' | 'created' | 'active' | 'unknown';

export function outcomeOf(state: ConsumerGroupState, known: boolean): GroupOutcome {
  if (state === 'STABLE' || state === 'REBALANCING') return 'active';
  if (!known) return 'unknown';
  return state === 'DEAD' ? 'created' : 'set';
}

/** Partitions named one by one in the evidence, at most, the least certain first; the sums are over all. */
const MAX_NAMED = 200;
const ORDER: Readonly<Record<ChosenPosition['confidence'], number>> = { NONE: 0, TIMESTAMP: 1, SAFE: 2, EXACT: 3 };

export function placesEvidence({ places, kept, corrected, earliest }: Places) {
  const unknown = places.filter((p) => p.rereadAtMost === null).length;
  const named = places.toSorted((x, y) => ORDER[x.confidence] - ORDER[y.confidence]).slice(0, MAX_NAMED);
  const count = (confidence: ChosenPosition['confidence']): number =>
    places.filter((p) => p.confidence === confidence).length;
  return {
    kept,
    corrected,
    earliest,
    exact: count('EXACT'),
    safe: count('SAFE'),
    byTime: count('TIMESTAMP'),
    unproved: count('NONE'),
    rereadAtMost: places.reduce((sum, p) => sum + (p.rereadAtMost ?? 0), 0),
    rereadUnknown: unknown, // partitions of which nobody can tell
    partitions: named.map((p) => ({
      partition: positionKey(p),
      from: p.from,
      fromAgeMs: p.fromAgeMs === null ? null : Math.round(p.fromAgeMs),
      held: p.held,
      to: p.offset,
      by: p.by,
      confidence: p.confidence,
      rereadAtMost: p.rereadAtMost,
    })),
  };
}

/** What differs between the sides, in words; a partition that only the target has begins where it begins. */
export const topicTroubles = (topics: readonly TranslatedTopic[]): readonly string[] =>
  topics.flatMap(({ topic, sourceTopic, sourcePartitions, targetPartitions }) => {
    if (targetPartitions === 0) return [`${topic} is missing on the target`];
    if (sourcePartitions === null || sourcePartitions === targetPartitions) return [];
    return [`${topic} has ${targetPartitions} partitions, ${sourceTopic} on the source ${sourcePartitions}`];
  });
