import { describe, expect, it } from 'vitest';
import { ageReport, neverHeard } from './age-report.js';
import { assess } from './assess.js';
import { INITIAL_HEALTH_MEMORY } from './fold.js';
import { mergeIdcVotes } from './merge-votes.js';
import { DEFAULT_HEALTH_SETTINGS as S, staleAfterMs } from './settings.js';
import type { ClusterReport, Observer, Verdict, Vote } from './types.js';
import { verdict } from './verdict.js';

const CLUSTERS = [
  { name: 'a', idc: 'a' },
  { name: 'b', idc: 'b' },
];

const SHAPES: Readonly<Record<string, Partial<Vote>>> = {
  up: { state: 'UP' },
  degraded: { state: 'DEGRADED' },
  refused: { state: 'DOWN', kind: 'UNREACHABLE', everyBrokerRefused: true },
  silent: { state: 'DOWN', kind: 'UNREACHABLE' },
  noService: { state: 'DOWN', kind: 'NO_SERVICE' },
  abstain: { state: 'ABSTAIN' },
  stale: { state: 'STALE' },
};

const vote = (agent: string, shape: string): Vote => ({ ...neverHeard(agent), ageMs: 0, ...SHAPES[shape] });

const observer = (agent: string, idc: string, goodbyeAgeMs: number | null = null): Observer => ({
  agent,
  idc,
  ageMs: 0,
  selfHealthy: true,
  goodbyeAgeMs,
});

/** Verdict on cluster a of the votes of the observers in a (own), b and c (witness). */
function on(a: string, b: string, c: string, goodbyeOfA: number | null = null): Verdict {
  const votes = { x: vote('x', a), y: vote('y', b), z: vote('z', c) };
  return verdict([observer('x', 'a', goodbyeOfA), observer('y', 'b'), observer('z', 'c')], votes, 'a', CLUSTERS);
}

describe('verdict', () => {
  it.each([
    ['stale', 'stale', 'up', 'UNKNOWN'],
    ['abstain', 'silent', 'stale', 'UNKNOWN'],
    ['refused', 'silent', 'silent', 'DOWN_ATTESTED'],
    ['noService', 'noService', 'stale', 'DOWN_ATTESTED'],
    ['stale', 'silent', 'silent', 'DOWN_ISOLATED'],
    ['abstain', 'silent', 'silent', 'LINK_CUT'],
    ['refused', 'up', 'degraded', 'LOCAL_FAULT'],
    ['up', 'silent', 'noService', 'ALIVE_INSIDE'],
    ['up', 'silent', 'stale', 'LINK_CUT'],
    ['stale', 'up', 'silent', 'LINK_CUT'],
    ['up', 'up', 'silent', 'LINK_CUT'],
    ['up', 'up', 'stale', 'UP'],
    ['up', 'degraded', 'up', 'DEGRADED'],
    ['up', 'noService', 'up', 'SPLIT'],
    ['refused', 'silent', 'up', 'SPLIT'],
    ['abstain', 'noService', 'noService', 'SPLIT'],
  ])('own %s, outsider %s, witness %s: %s', (a, b, c, name) => {
    expect(on(a, b, c).name).toBe(name);
  });

  it('names the pairs of a cut link', () => {
    expect(on('up', 'silent', 'up').cutPairs).toEqual([['b', 'a']]);
  });

  it('a goodbye of the last ten minutes is no evidence; an older one is', () => {
    expect(on('stale', 'silent', 'silent', 599_999).name).toBe('LINK_CUT');
    expect(on('stale', 'silent', 'silent', 600_000).name).toBe('DOWN_ISOLATED');
  });

  it('two agents in one IDC are one observer', () => {
    const observers = [observer('x', 'a'), observer('x2', 'a'), observer('y', 'b'), observer('z', 'c')];
    const votes = { x: vote('x', 'refused'), x2: vote('x2', 'up'), y: vote('y', 'stale'), z: vote('z', 'stale') };
    expect(verdict(observers, votes, 'a', CLUSTERS).name).toBe('UNKNOWN');
  });

  it('no acting verdict of the 343 combinations rests on a single DOWN', () => {
    const names = Object.keys(SHAPES);
    const acting = new Set(['DOWN_ATTESTED', 'DOWN_ISOLATED', 'ALIVE_INSIDE']);
    let seen = 0;
    for (const a of names) {
      for (const b of names) {
        for (const c of names) {
          const v = on(a, b, c);
          seen += 1;
          if (!acting.has(v.name)) continue;
          const down = [a, b, c].filter((s) => SHAPES[s]?.state === 'DOWN').length;
          expect([a, b, c, down >= 2]).toEqual([a, b, c, true]);
        }
      }
    }
    expect(seen).toBe(343);
  });
});

describe('mergeIdcVotes', () => {
  it('takes the healthier, and the younger answer of both', () => {
    const down: Vote = { ...vote('x', 'refused'), lastAnsweredAgeMs: 5_000 };
    const quiet: Vote = { ...vote('y', 'stale'), lastAnsweredAgeMs: 2_000 };
    expect(mergeIdcVotes([quiet, down])).toMatchObject({ agent: 'x', state: 'DOWN', lastAnsweredAgeMs: 2_000 });
    expect(mergeIdcVotes([down, vote('y', 'degraded')]).state).toBe('DEGRADED');
    expect(mergeIdcVotes([vote('x', 'abstain'), vote('y', 'refused')]).state).toBe('DOWN');
    expect(() => mergeIdcVotes([])).toThrow(RangeError);
  });
});

describe('ageReport', () => {
  const report: ClusterReport = {
    ...assess('a', INITIAL_HEALTH_MEMORY, 0, S),
    state: 'DOWN',
    kind: 'UNREACHABLE',
    everyBrokerRefused: true,
    sampleAgeMs: 300,
    failingForMs: 4_000,
    refusedForMs: 4_000,
    lastAnsweredAgeMs: 6_300,
  };

  it('ages what ends now, not what ends at the sample', () => {
    const v = ageReport('x', report, 1_000, S);
    expect(v).toMatchObject({ state: 'DOWN', ageMs: 1_300, failingForMs: 4_000, lastAnsweredAgeMs: 7_300 });
  });

  it('is STALE after 3p + t, and then no evidence of anything but its last answer', () => {
    expect(ageReport('x', report, staleAfterMs(S), S).state).toBe('DOWN');
    const v = ageReport('x', report, staleAfterMs(S) + 1, S);
    expect(v).toMatchObject({
      state: 'STALE',
      kind: null,
      everyBrokerRefused: false,
      failingForMs: 0,
      refusedForMs: 0,
    });
    expect(v.lastAnsweredAgeMs).toBe(6_300 + staleAfterMs(S) + 1);
  });

  it('is STALE when its probes hang behind a living session', () => {
    expect(ageReport('x', { ...report, sampleAgeMs: 8_001 }, 0, S).state).toBe('STALE');
  });

  it('says never heard', () => {
    expect(ageReport('x', null, null, S)).toMatchObject({ state: 'STALE', ageMs: null });
  });
});
