import { describe, expect, it } from 'vitest';
import type { Observer } from '#health';
import type { Policy, Snapshot } from '../matrix/facts.js';
import { compilePolicy, defaultPolicy } from '../matrix/policy.js';
import { sampleGroup, sampleObservers, sampleSnapshot, sampleVote } from '../simulate/sample-snapshot.js';
import {
  armedState,
  armingObstacles,
  judgeSelfFence,
  leaseGrants,
  selfFenceDueMs,
  selfFenceView,
} from './self-fence.js';

const strict: Policy = compilePolicy({ ...defaultPolicy, fencing: 'strict' });
const FIT = { target: 'b', targetFit: { fit: true, reasons: [] } } as const;
const DUE_MS = selfFenceDueMs(20_000, 2_000);

type Case = Readonly<{ own?: Partial<Observer>; servedAgeMs?: number; tokenAgeMs?: number | null; armed?: boolean }>;

/** IDC a fell silent a minute ago; `servedAgeMs`: since anyone outside last saw the cluster serve. */
function silentIdc({ own, servedAgeMs = 60_000, tokenAgeMs = 60_000, armed = true }: Case = {}): Snapshot {
  const vote = (agent: string) => sampleVote(agent, 'silent', servedAgeMs, { lastAnsweredAgeMs: servedAgeMs });
  return sampleSnapshot({
    group: sampleGroup({ armed: { a: armed } }),
    observers: sampleObservers.map((o) => (o.idc === 'a' ? { ...o, ageMs: 60_000, ...own } : o)),
    votes: { a: { 'agent-b': vote('agent-b'), 'agent-c': vote('agent-c') }, b: {} },
    selfFence: { a: { tokenAgeMs, applyMs: 2_000 } },
  });
}

describe('the deadline of a self-fence (I27)', () => {
  it('lies behind everything that the agent and both clocks may take', () => {
    expect(DUE_MS).toBe(Math.ceil((20_000 + 250 + 2_000 + 2_000) * (1.01 / 0.99)));
  });

  it.each<readonly [string, Case, string]>([
    ['passed: armed, silent, and the last token is old enough', { tokenAgeMs: DUE_MS }, 'passed'],
    ['still to come', { tokenAgeMs: DUE_MS - 1 }, 'waiting'],
    ['not known, because this controller does not lead', { tokenAgeMs: null }, 'none'],
    ['no proof while the agent reports', { own: { ageMs: 500 } }, 'none'],
    ['no proof when its agent had not confirmed', { armed: false }, 'none'],
    ['no proof when its agent was stopped by plan', { own: { goodbyeAgeMs: 60_000 } }, 'none'],
    ['no proof when its agent was never heard', { own: { ageMs: null } }, 'none'],
    ['no proof when the cluster still served after a report was missed', { servedAgeMs: 57_000 }, 'none'],
    ['proof when it served until the first missed report', { servedAgeMs: 57_500 }, 'passed'],
  ])('is %s', (_name, facts, kind) => expect(judgeSelfFence(silentIdc(facts), 'a', strict).kind).toBe(kind));

  it('means nothing in best-effort', () => {
    expect(judgeSelfFence(silentIdc(), 'a', defaultPolicy).kind).toBe('none');
  });

  it('needs an observer beside the cluster', () => {
    const nobody = { ...silentIdc(), observers: sampleObservers.filter((o) => o.idc !== 'a') };
    expect(armedState(nobody, 'a')).toEqual({ armed: false, reason: 'no observer stands beside a' });
  });
});

describe('what the leader grants', () => {
  const snapshot = sampleSnapshot();
  const arms = (s: Snapshot, decision: Parameters<typeof leaseGrants>[1] = FIT, from: string | null = null) =>
    Object.fromEntries(leaseGrants(s, decision, strict, from).map((g) => [g.cluster, g.arm]));

  it('arms the active cluster alone', () => {
    expect(arms(snapshot)).toEqual({ a: true, b: false });
    expect(leaseGrants(snapshot, FIT, defaultPolicy, null).some((g) => g.arm)).toBe(false);
  });

  it('says nothing at all to the source of an open failover', () => {
    expect(arms(snapshot, FIT, 'a')).toEqual({ b: false });
  });

  it.each<readonly [string, Partial<Snapshot['group']>, boolean, RegExp]>([
    ['the mode is observe', { mode: 'observe' }, true, /mode is observe/],
    ['a person paused it', { pause: { owner: 'ann', reason: 'r', expiresInMs: 1 } }, true, /paused by ann/],
    ['it is frozen', { frozen: 'foreign epoch' }, true, /frozen/],
    ['the target is not fit', {}, false, /b is not fit/],
  ])('arms nothing while %s', (_name, group, fit, says) => {
    const s = sampleSnapshot({ group: sampleGroup(group) });
    const decision = { target: 'b', targetFit: { fit, reasons: [] } };
    expect(arms(s, decision)).toEqual({ a: false, b: false });
    expect(armingObstacles(s, decision).join()).toMatch(says);
    expect(selfFenceView(s, decision, strict)).toMatchObject({ armed: false, says: expect.stringMatching(says) });
  });
});

describe('what a person is told', () => {
  it.each<readonly [Case, RegExp]>([
    [{ tokenAgeMs: DUE_MS + 3_000 }, /closed itself at the latest 3\.0 s ago/],
    [{ tokenAgeMs: DUE_MS - 4_000 }, /closes itself within 4\.0 s/],
    [{ own: { ageMs: 500 } }, /closes itself 20 s after the last word of a leader/],
    [{ servedAgeMs: 20_000 }, /agent-a fell silent 37\.5 s before a was last seen serving: it may have died first/],
  ])('%j', (facts, says) => expect(selfFenceView(silentIdc(facts), FIT, strict)?.says).toMatch(says));

  it('is nothing where the policy asks for none', () => {
    expect(selfFenceView(silentIdc(), FIT, defaultPolicy)).toBeNull();
  });
});
