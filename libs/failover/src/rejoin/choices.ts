import type { TopicPartition } from '../saga/positions.js';
import type { SeamFinding } from './seam.js';

/** What a person may decide about records that only the returned cluster holds. */
export const REJOIN_CHOICES = {
  accept: 'the tail stays on the old cluster only, where no client reads it',
  export: 'the tail is written to a file or to a quarantine topic, then accepted',
  replay: 'the tail is written to the active cluster through the conflict resolver, then accepted',
  rebuild: 'the topics on the old cluster are made anew and filled from the active one',
} as const;
export type RejoinChoice = keyof typeof REJOIN_CHOICES;

export const isRejoinChoice = (word: string): word is RejoinChoice => Object.hasOwn(REJOIN_CHOICES, word);

export type OfferedChoices = Readonly<{
  choices: readonly RejoinChoice[];
  /** Why fewer than all are offered; one line per partition that objects. */
  reasons: readonly string[];
}>;

const ALL: readonly RejoinChoice[] = ['accept', 'export', 'replay', 'rebuild'];

/**
 * Everything where each partition's seam is proved and the active cluster still holds its records from S on. Otherwise the
 * old log cannot be continued: only making it anew is safe.
 */
export function offeredChoices(
  findings: readonly SeamFinding[],
  /** Partitions of the switch that the old side has no more: `topic/partition`. */
  missing: readonly string[] = [],
): OfferedChoices {
  const gone = missing.map((name) => `${name}: the old side has it no more`);
  const reasons = [...gone, ...findings.flatMap((f) => objection(f) ?? [])];
  if (findings.length === 0) return { choices: ['rebuild'], reasons: [...reasons, 'no partition was compared'] };
  return { choices: reasons.length === 0 ? ALL : ['rebuild'], reasons };
}

function objection(f: SeamFinding): string | null {
  const name = `${f.topic}-${f.partition}`;
  if (f.seam.verdict === 'shorter') {
    return `${name}: the old log ends at ${f.seam.end}, but the copy has it up to ${f.seam.needed}: records were lost there`;
  }
  if (f.seam.verdict === 'different') return `${name}: ${f.seam.reason}`;
  if (f.copyStart > f.s) {
    return `${name}: the active cluster keeps records from ${f.copyStart} on only, those from ${f.s} are needed`;
  }
  return null;
}

/** Offsets of the old cluster that the active one never got: `from` included, `to` not. */
export type TailRange = Readonly<TopicPartition & { from: number; to: number }>;

/** Of proved partitions, empty ones left out. Where a's retention has eaten into the tail, it begins at what is left. */
export const tailRanges = (findings: readonly SeamFinding[]): readonly TailRange[] =>
  findings.flatMap((f) => {
    if (f.seam.verdict !== 'proved') return [];
    const from = Math.max(f.seam.lastCopied + 1, f.sourceStart, 0);
    return from < f.end ? [{ topic: f.topic, partition: f.partition, from, to: f.end }] : [];
  });
