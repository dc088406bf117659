import type { Vote } from './types.js';

/** Healthiest first; a sound agent's DOWN still outweighs a neighbour that doubts itself or is silent. */
const rank = (v: Vote): number => {
  switch (v.state) {
    case 'UP':
      return 0;
    case 'DEGRADED':
      return 1;
    case 'DOWN':
      return v.kind === 'NO_SERVICE' ? 2 : 3;
    case 'ABSTAIN':
      return 4;
    case 'STALE':
      return 5;
  }
};

const younger = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b);

/**
 * Two agents in one IDC are one observer: the healthier vote counts, and an answer that either of them got counts as
 * an answer. `votes` must not be empty.
 */
export function mergeIdcVotes(votes: readonly Vote[]): Vote {
  const [first, ...rest] = votes;
  if (first === undefined) throw new RangeError('mergeIdcVotes: an IDC without a vote');
  return rest.reduce<Vote>((best, v) => {
    const healthier = rank(v) < rank(best) ? v : best;
    return { ...healthier, lastAnsweredAgeMs: younger(best.lastAnsweredAgeMs, v.lastAnsweredAgeMs) };
  }, first);
}
