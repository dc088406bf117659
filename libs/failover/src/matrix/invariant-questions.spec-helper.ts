import { GOODBYE_COUNTS_MS, type Vote } from '#health';
import { expect } from 'vitest';
import { sampleVote } from '../simulate/sample-snapshot.js';
import { decide } from './decide.js';
import type { Decision, Policy, Snapshot } from './facts.js';

/** The invariants of decisions as questions to one tick. */

const answers = (v: Vote): boolean => v.state === 'UP' || v.state === 'DEGRADED';
const votesOn = (s: Snapshot): readonly Vote[] => Object.values(s.votes[s.group.active] ?? {});
const someDown = (s: Snapshot): boolean => votesOn(s).some((v) => v.state === 'DOWN');
const idcOf = (agent: string): string => agent.replace('agent-', '');
export const moves = (d: Decision): boolean => d.action === 'failover' || d.action === 'propose';

const withVote = (s: Snapshot, vote: Vote): Snapshot => ({
  ...s,
  votes: { ...s.votes, [s.group.active]: { ...s.votes[s.group.active], [vote.agent]: vote } },
});

/** What the test itself remembers of a trace, apart from decide()'s memory. */
export type Witness = {
  lastAnswerAtMs: number;
  lastOutsideAnswerAtMs: number;
  lastBlindAtMs: number;
  lastTerm: number;
  termSinceMs: number;
};

export type Ask = (s: Snapshot, d: Decision, p: Policy, w: Witness) => void;

/** Asked at every tick. */
export const ALWAYS: readonly (readonly [string, Ask])[] = [
  [
    'I14 most observers gone: blind, nothing moves but a proposal',
    (s, d) => {
      const fresh = votesOn(s).filter((v) => v.state !== 'STALE' && v.state !== 'ABSTAIN');
      if (fresh.length * 2 > 3) return;
      expect([115, 120]).toContain(d.row);
      expect(d.action).not.toBe('failover');
    },
  ],
  [
    'I15 pure: frozen input, same answer, also for a stored snapshot',
    (s, d, p) => {
      if (s.now % 2_500 !== 0) return;
      expect(decide(JSON.parse(JSON.stringify(s)) as Snapshot, p)).toEqual(d);
    },
  ],
  [
    'I8 an answer that goes stale is no failure',
    (s, d, p) => {
      if (d.action === 'failover' || !someDown(s)) return;
      for (const v of votesOn(s).filter(answers)) {
        const stale = decide(withVote(s, { ...v, state: 'STALE', kind: null }), p);
        expect(stale.action).not.toBe('failover');
      }
    },
  ],
  [
    'I17 more lag never raises the urge',
    (s, d, p) => {
      if (d.action === 'failover' || !someDown(s)) return;
      const more = s.flows.map((f) => ({ ...f, lagRecords: 9_999_999, lagMs: 9_999_999, heartbeatAgeMs: 9_999_999 }));
      expect(decide({ ...s, flows: more }, p).action).not.toBe('failover');
      expect(decide({ ...s, flows: [] }, p).action).not.toBe('failover');
    },
  ],
  [
    'I20 no automatic failback, nor onto a rejoining member',
    (s, d) => {
      if (['UP', 'DEGRADED', 'LINK_CUT', 'LOCAL_FAULT'].includes(d.verdicts[s.group.active]?.name ?? '')) {
        expect(d.action).not.toBe('failover');
      }
      if (d.action === 'failover') expect(s.group.rejoin).not.toContain(d.target);
    },
  ],
  [
    'I21 a blocked decision pages at once and says what lifts it',
    (s, d) => {
      if (d.blockers.length === 0) return;
      if (s.graceOver) expect(d.alerts).toContain('held');
      for (const b of d.blockers) expect(b.liftedBy).not.toBe('');
      expect(moves(d)).toBe(false);
    },
  ],
  [
    'gates: behind a closed one nothing moves',
    (_s, d) => {
      if (d.gate.length > 0) expect(d.action).toBe('none');
    },
  ],
];

/** Asked when a failover is due. */
export const WHEN_ACTING: readonly (readonly [string, Ask])[] = [
  [
    'I7 two DOWN votes; any one turned UP stops it',
    (s, d, p) => {
      expect(votesOn(s).filter((v) => v.state === 'DOWN').length).toBeGreaterThanOrEqual(2);
      for (const v of votesOn(s)) {
        const flipped = decide(withVote(s, sampleVote(v.agent, 'up')), p);
        // By policy `clients: outside` the own agent's UP is no veto: 420 may act where all outsiders say DOWN for long.
        if (flipped.row === 420 && idcOf(v.agent) === s.group.active) continue;
        expect(flipped.action).not.toBe('failover');
      }
    },
  ],
  [
    'I9 no fresh vote answers; row 420 excepts its own agent',
    (s, d) => {
      const vetoes = votesOn(s).filter((v) => answers(v) && !(d.row === 420 && idcOf(v.agent) === s.group.active));
      expect(vetoes).toEqual([]);
    },
  ],
  [
    'I10 DOWN from outside both IDCs',
    (s, d) => {
      const down = votesOn(s)
        .filter((v) => v.state === 'DOWN')
        .map((v) => idcOf(v.agent));
      expect(down.some((idc) => idc !== s.group.active)).toBe(true);
      expect(down.some((idc) => idc !== d.target)).toBe(true);
    },
  ],
  [
    'I11 nobody got an answer for the whole window, and it sees again',
    (s, d, p, w) => {
      const answeredAt = d.row === 420 ? w.lastOutsideAnswerAtMs : w.lastAnswerAtMs;
      const least = {
        400: p.windows.attestedMs,
        405: p.windows.serviceMs,
        410: Math.min(p.windows.isolatedMs, 30_000),
        420: p.windows.grayMs,
      }[d.row];
      expect(s.now - answeredAt).toBeGreaterThanOrEqual(least ?? Infinity);
      expect(s.now - w.lastBlindAtMs).toBeGreaterThanOrEqual(s.probe.periodMs);
      expect(s.now - w.termSinceMs).toBeGreaterThanOrEqual(s.probe.periodMs);
    },
  ],
  [
    'I12 grace over; a fresh window after resume and change of mode',
    (s, d) => {
      expect(s.graceOver).toBe(true);
      const length = d.window?.lengthMs ?? Infinity;
      for (const age of [s.group.unpausedAgeMs, s.group.modeChangedAgeMs])
        expect(age ?? Infinity).toBeGreaterThanOrEqual(length);
    },
  ],
  [
    'I13 a goodbye is no evidence',
    (s, d) => {
      const own = s.observers.find((o) => o.idc === s.group.active);
      const stopped = own !== undefined && own.goodbyeAgeMs !== null && own.goodbyeAgeMs < GOODBYE_COUNTS_MS;
      if (stopped) expect(d.row).not.toBe(410);
    },
  ],
  [
    'I16 only to a fit target',
    (_s, d) => {
      expect(d.targetFit.fit).toBe(true);
      expect(d.blockers).toEqual([]);
    },
  ],
  [
    'I19 not within the cool-down',
    (s, _d, p) => {
      const last = s.group.lastPublishedAuto;
      if (last !== null && !last.acknowledged) expect(last.ageMs).toBeGreaterThanOrEqual(p.cooldownMs);
    },
  ],
];

export function observe(w: Witness, s: Snapshot, d: Decision): void {
  for (const v of votesOn(s)) {
    if (!answers(v) || v.lastAnsweredAgeMs === null) continue;
    const at = s.now - v.lastAnsweredAgeMs;
    w.lastAnswerAtMs = Math.max(w.lastAnswerAtMs, at);
    if (idcOf(v.agent) !== s.group.active) w.lastOutsideAnswerAtMs = Math.max(w.lastOutsideAnswerAtMs, at);
  }
  if (d.verdicts[s.group.active]?.name === 'UNKNOWN') w.lastBlindAtMs = s.now;
  if (s.term !== w.lastTerm) Object.assign(w, { lastTerm: s.term, termSinceMs: s.now });
}
