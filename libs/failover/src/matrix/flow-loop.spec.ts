import { describe, expect, it } from 'vitest';
import { sampleFlow, sampleSnapshot } from '../simulate/sample-snapshot.js';
import { decide } from './decide.js';
import type { Decision, Snapshot, SnapshotFlow } from './facts.js';
import { defaultPolicy } from './policy.js';

const flow = (from: string, to: string, over: Partial<SnapshotFlow> = {}): SnapshotFlow => ({
  ...sampleFlow({ from, to, sourceConnector: 'RUNNING' }),
  naming: 'identity',
  ...over,
});
const BOTH = [flow('a', 'b'), flow('b', 'a')];

/** Ticks half a second apart for longer than p + t; the last decision. */
function hold(over: Partial<Snapshot>): Decision {
  const base = sampleSnapshot({ ...over });
  let decision = decide(base, defaultPolicy);
  for (let ms = 500; ms <= 5_000; ms += 500) {
    decision = decide({ ...base, now: base.now + ms, memory: decision.nextMemory }, defaultPolicy);
  }
  return decision;
}

describe('two directions of a flow under IdentityReplicationPolicy (I37)', () => {
  it('are a loop once both were seen running for p + t: paged with what to do', () => {
    const decision = hold({ flows: BOTH });
    expect(decision.flowLoop).toEqual([
      { from: 'a', to: 'b' },
      { from: 'b', to: 'a' },
    ]);
    expect(decision.alerts).toContain('misconfigured');
    expect(decision.reasons[0]).toContain('endless loop');
  });

  it('are none at first sight: a person may be turning the direction round', () => {
    expect(decide(sampleSnapshot({ flows: BOTH }), defaultPolicy).flowLoop).toBeUndefined();
  });

  it.each([
    ['one of them stands', [flow('a', 'b'), flow('b', 'a', { sourceConnector: 'STOPPED' })]],
    ['one is not known', [flow('a', 'b'), flow('b', 'a', { sourceConnector: 'UNKNOWN' })]],
    ['topics are renamed on the way', BOTH.map((f) => ({ ...f, naming: 'default' as const }))],
    ['the naming is not known', [sampleFlow({ from: 'a', to: 'b' }), sampleFlow({ from: 'b', to: 'a' })]],
  ])('are none when %s', (_why, flows) => {
    const decision = hold({ flows });
    expect(decision.flowLoop).toBeUndefined();
    expect(decision.alerts).not.toContain('misconfigured');
  });

  it('are none when the agent that saw one of them run is silent', () => {
    const base = sampleSnapshot({ flows: BOTH });
    const observers = base.observers.map((o) => (o.idc === 'b' ? { ...o, ageMs: 60_000 } : o));
    expect(hold({ flows: BOTH, observers }).flowLoop).toBeUndefined();
  });
});
