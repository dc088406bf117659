import { describe, expect, it } from 'vitest';
import { decide } from '../matrix/decide.js';
import type { Snapshot } from '../matrix/facts.js';
import { defaultPolicy } from '../matrix/policy.js';
import { sampleSnapshot, sampleVotes } from '../simulate/sample-snapshot.js';
import { explain } from './explain.js';
import { renderExplanation } from './render.js';

const dead: Snapshot = sampleSnapshot({
  votes: {
    a: sampleVotes({ a: 'refused', b: 'silent', c: 'silent' }, 6_400),
    b: sampleVotes({ a: 'up', b: 'up', c: 'degraded' }),
  },
  configCenter: { writableAgeMs: null, error: 'connection refused' },
});

const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('explain', () => {
  const decision = decide(dead, defaultPolicy);
  const e = explain(dead, defaultPolicy, decision);

  it('names the row, and for each row above the condition that failed', () => {
    expect(e.row).toMatchObject({ id: 400, name: 'AttestedDeath' });
    expect(e.rowsAbove.map((r) => [r.id, r.failed])).toEqual([
      [115, 'the mode is approve'],
      [120, 'S is UNKNOWN'],
      [190, 'S answers in every fresh vote'],
      [300, 'S is LINK_CUT'],
      [320, 'S is LOCAL_FAULT'],
    ]);
  });

  it('shows window fill and deadline', () => {
    expect(e.window).toMatchObject({ text: '7.4 s of 20 s', dueInMs: 12_600, complete: false });
    expect(e.window?.deadline).toBe(new Date(dead.wallNow + 12_600).toISOString());
  });

  it('gives every blocker its lifting call, and each vote its age and fields', () => {
    expect(e.blockers.map((b) => b.name)).toEqual(['LAG_UNKNOWN', 'NOT_PUBLISHABLE']);
    expect(e.blockers.every((b) => b.liftedBy.length > 0)).toBe(true);
    expect(e.clusters[0]?.votes[0]).toMatchObject({ idc: 'a', role: 'own', vote: 'DOWN/UNREACHABLE', ageMs: 1_000 });
  });

  it('says the same of a stored event', () => {
    expect(explain(stored(dead), stored(defaultPolicy), stored(decision))).toEqual(e);
  });

  it('fits a screen of 100 columns', () => {
    const text = renderExplanation(e);
    expect(Math.max(...text.split('\n').map((l) => l.length))).toBeLessThanOrEqual(100);
    expect(text).toMatchSnapshot();
  });
});
