import { describe, expect, it } from 'vitest';
import { checkGoodEnd, checkPublications } from './invariants.js';
import { planSaga, stepsOf, UnknownSagaKindError } from './plan.js';
import { STEP_NAMES } from './types.js';

const end = (pointer: string, a: boolean, b: boolean, runningFlows: readonly string[] = []) =>
  checkGoodEnd({ source: 'a', target: 'b', pointer, acceptsWrites: { a, b }, runningFlows });

describe('the checkers find what they are for', () => {
  it('two good ends, and everything else', () => {
    expect(end('a', true, true, ['a->b'])).toEqual([]);
    expect(end('b', false, true)).toEqual([]);
    expect(end('a', false, true)).toEqual([expect.stringContaining('I22')]);
    expect(end('b', true, true)).toEqual([expect.stringContaining('I40')]);
    expect(end('b', false, true, ['a->b'])).toEqual([expect.stringContaining('I37')]);
    expect(end('a', true, true, ['a->b', 'b->a'])).toEqual([expect.stringContaining('I37')]);
  });

  it('one content per epoch, rising epochs, no way back', () => {
    const at = (activeCluster: string, epoch: number, sagaId: string | null = null) => ({
      activeCluster,
      epoch,
      sagaId,
    });
    expect(checkPublications([at('a', 1), at('b', 2, 's')])).toEqual([]);
    expect(checkPublications([at('a', 2), at('b', 2)])).toEqual([expect.stringContaining('I26')]);
    expect(checkPublications([at('a', 2), at('b', 1)])).toEqual([expect.stringContaining('I3')]);
    expect(checkPublications([at('b', 2, 's'), at('a', 3, 's')])).toEqual([expect.stringContaining('I24')]);
  });
});

describe('the plan', () => {
  it('names every step in order, with publish as the only point of no return and no compensation after it', () => {
    const plan = planSaga({ kind: 'failover', group: 'orders', source: 'a', target: 'b', maxOpenMs: 1 });
    expect(plan.steps.map((s) => s.step)).toEqual(stepsOf('failover'));
    expect(plan.steps.filter((s) => s.phase === 'return').map((s) => s.step)).toEqual(['publish']);
    expect(plan.steps.filter((s) => s.phase === 'after' && s.compensation !== null)).toEqual([]);
    expect(plan.steps.find((s) => s.step === 'stop-replication')?.effect).toBe('stop the flow a→b');
    for (const step of plan.steps) expect(step.deadlineMs).toBeGreaterThan(0);
    for (const step of plan.steps) expect(STEP_NAMES).toContain(step.step);
  });

  it('refuses a kind that this version has no table for', () => {
    expect(() => stepsOf('from the future' as 'failover')).toThrow(UnknownSagaKindError);
  });
});
