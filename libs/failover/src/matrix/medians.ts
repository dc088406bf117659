import type { Vote, VoteMark } from '#health';

/** Fields as medians over F (the healthier middle when even), so that no single observer decides. */
export type MedianFields = Readonly<{
  partitionShare: number; // hot-standby partitions offline or under min ISR, each counted once, 0..1
  partitionsAtFault: number;
  canariesFailing: number;
  marks: readonly VoteMark[]; // said by more than half of F
}>;

/** Lower median: of two values the smaller, which for faults is the healthier. */
export function lowerMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** An offline partition is under its min ISR too in most answers: the larger count is the number at fault. */
const atFault = (v: Vote): number =>
  Math.max(v.fields?.hotStandby?.offline ?? 0, v.fields?.hotStandby?.underMinIsr ?? 0);

const share = (v: Vote): number => {
  const total = v.fields?.hotStandby?.total ?? 0;
  return total === 0 ? 0 : atFault(v) / total;
};

const failingCanaries = (v: Vote): number =>
  v.fields === null ? 0 : v.fields.canarySampledBrokers - v.fields.canaryOkBrokers;

function majorityMarks(votes: readonly Vote[]): readonly VoteMark[] {
  const counts = new Map<VoteMark, number>();
  for (const v of votes) for (const mark of v.marks) counts.set(mark, (counts.get(mark) ?? 0) + 1);
  return [...counts].filter(([, n]) => n * 2 > votes.length).map(([mark]) => mark);
}

export const medianFields = (fresh: readonly Vote[]): MedianFields => ({
  partitionShare: lowerMedian(fresh.map(share)),
  partitionsAtFault: lowerMedian(fresh.map(atFault)),
  canariesFailing: lowerMedian(fresh.map(failingCanaries)),
  marks: majorityMarks(fresh),
});
