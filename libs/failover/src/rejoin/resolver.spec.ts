import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { judgeLoss } from './loss.js';
import {
  RESOLVER_STRATEGIES,
  resolveConflict,
  type Conflict,
  type Contender,
  type ResolverOptions,
} from './resolver.js';

const contender = (cluster: string, timestampMs: number, text: string | null): Contender => ({
  cluster,
  timestampMs,
  tombstone: text === null,
  text,
});
const conflict = (tail: readonly [number, string | null], current: readonly [number, string | null]): Conflict => ({
  topic: 'profiles',
  key: 'u1',
  tail: contender('a', ...tail),
  current: contender('b', ...current),
});
const options: ResolverOptions = { priority: ['a'], custom: null };

describe('the conflict resolver', () => {
  // The seed's rules: dc1 is the tail, dc2 the active cluster.
  it.each([
    ['last-write-wins', 20, 10, 'tail'],
    ['last-write-wins', 10, 20, 'current'],
    ['last-write-wins', 10, 10, 'current'],
    ['source-priority', 10, 20, 'tail'],
    ['source-priority', 10, 10, 'tail'],
    ['merge', 20, 10, 'tail'],
    ['merge', 10, 10, 'current'],
  ] as const)('%s of a tail at %d against %d: %s', (strategy, tail, current, take) => {
    expect(resolveConflict(strategy, conflict([tail, 'x'], [current, 'y']), options)).toEqual({ take });
  });

  it('takes the first cluster in the order that is in the conflict, and without one the later record', () => {
    const c = conflict([10, 'x'], [20, 'y']);
    expect(resolveConflict('source-priority', c, { priority: ['z', 'b', 'a'], custom: null })).toEqual({
      take: 'current',
    });
    expect(resolveConflict('source-priority', c, { priority: ['z'], custom: null })).toEqual({ take: 'current' });
  });

  it('merges JSON objects field by field; the later record has what both have', () => {
    const c = conflict(
      [20, '{"name":"T","address":{"zip":1}}'],
      [10, '{"name":"C","mail":"m","address":{"zip":2,"town":"x"}}'],
    );
    const merged = resolveConflict('merge', c, options);
    expect(merged).toMatchObject({ take: 'merged' });
    expect(merged.take === 'merged' ? JSON.parse(merged.text) : null).toEqual({
      name: 'T',
      mail: 'm',
      address: { zip: 1, town: 'x' },
    });
    expect(resolveConflict('merge', conflict([5, '{"a":1}'], [10, '{"a":2}']), options)).toEqual({ take: 'current' });
    expect(resolveConflict('merge', conflict([20, null], [10, '{"a":2}']), options)).toEqual({ take: 'tail' });
    expect(resolveConflict('merge', conflict([20, '[1]'], [10, '{"a":2}']), options)).toEqual({ take: 'tail' });
  });

  it('keeps a field named like a part of the language', () => {
    const merged = resolveConflict('merge', conflict([20, '{"__proto__":{"x":1}}'], [10, '{"a":2}']), options);
    expect(merged.take === 'merged' ? merged.text : '').toContain('__proto__');
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it('asks the module for custom, and says so when there is none', () => {
    const c = conflict([1, 'x'], [2, 'y']);
    expect(resolveConflict('custom', c, { priority: [], custom: () => ({ take: 'merged', text: 'z' }) })).toEqual({
      take: 'merged',
      text: 'z',
    });
    expect(() => resolveConflict('custom', c, options)).toThrow(/resolver module/);
  });

  it('merging what was merged changes nothing: a replay that runs twice writes once', () => {
    const json = fc.dictionary(fc.string({ maxLength: 4 }), fc.oneof(fc.integer(), fc.string({ maxLength: 3 })), {
      maxKeys: 4,
    });
    fc.assert(
      fc.property(json, json, fc.nat({ max: 3 }), fc.nat({ max: 3 }), (tail, current, tailMs, currentMs) => {
        const mine = JSON.stringify(tail);
        const first = resolveConflict('merge', conflict([tailMs, mine], [currentMs, JSON.stringify(current)]), options);
        if (first.take !== 'merged') return;
        const laterMs = Math.max(tailMs, currentMs);
        expect(resolveConflict('merge', conflict([tailMs, mine], [laterMs, first.text]), options).take).toBe('current');
      }),
    );
  });

  it('says what it does and how ties end, for each strategy', () => {
    for (const s of Object.values(RESOLVER_STRATEGIES)) expect(s.says.length * s.tie.length).toBeGreaterThan(0);
  });
});

describe('the loss, afterwards (I35)', () => {
  const estimate = (estimatedRecords: number | null, atLeast = false) => ({
    knownRecords: 5,
    estimatedRecords,
    atLeast,
  });

  it('is judged against what was said when it was decided', () => {
    expect(judgeLoss(estimate(10), 10)).toMatchObject({ withinEstimate: true, estimated: 10 });
    expect(judgeLoss(estimate(10), 11)).toMatchObject({ withinEstimate: false });
    expect(judgeLoss(estimate(10), 11).says).toContain('MORE THAN ESTIMATED');
    expect(judgeLoss(estimate(10, true), 11).says).toContain('as the estimate allowed');
    expect(judgeLoss(estimate(null), 5)).toMatchObject({ withinEstimate: true, estimated: 5 });
    expect(judgeLoss({ knownRecords: null, estimatedRecords: null, atLeast: true }, 1)).toMatchObject({
      withinEstimate: null,
    });
  });
});
