import { describe, expect, it } from 'vitest';
import { compilePolicy, defaultPolicy, modeErrors, PolicyError } from './policy.js';

describe('compilePolicy', () => {
  it('fills in every default and freezes', () => {
    const policy = compilePolicy({ maxRpo: { records: 5, durationMs: 1_000 }, windows: { attestedMs: 8_000 } });
    expect(policy.windows).toEqual({ ...defaultPolicy.windows, attestedMs: 8_000 });
    expect(policy).toMatchObject({ preset: 'guarded', fencing: 'best-effort', cooldownMs: 3_600_000 });
    expect(Object.isFrozen(policy) && Object.isFrozen(policy.windows)).toBe(true);
  });

  it('names every broken rule at once, with the value', () => {
    const broken = () =>
      compilePolicy({ maxRpo: { records: -1, durationMs: 0 }, windows: { serviceMs: 0 }, partitionShare: 2 });
    expect(broken).toThrow(PolicyError);
    expect(broken).toThrow(/windows\.serviceMs must be above 0, it is 0.*maxRpo\.records.*-1.*partitionShare.*2/);
  });
});

describe('modeErrors', () => {
  it('auto asks for three IDCs and says what to add; the other modes do not', () => {
    expect(modeErrors('auto', defaultPolicy, ['a', 'b', 'b'])).toEqual([
      {
        at: 'mode',
        message:
          'auto needs at least 3 observers in 3 IDCs, found 3 in 2: add a probe-only witness agent in another IDC, or use approve or observe',
      },
    ]);
    expect(modeErrors('auto', defaultPolicy, ['a', 'b', 'c'])).toEqual([]);
    expect(modeErrors('approve', defaultPolicy, ['a'])).toEqual([]);
  });
});
