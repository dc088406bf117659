import { describe, expect, it } from 'vitest';
import { type ClientReport, adoptionShare, checkReport, formatReport, hasAdopted, parseReport } from './adoption.js';

const report = (more: Partial<ClientReport> = {}): ClientReport => ({
  version: 1,
  group: 'orders',
  instance: 'i1',
  kind: 'producer',
  name: 'shop',
  cluster: 'a',
  epoch: 4,
  mode: 'ACTIVE',
  state: 'following',
  warnings: [],
  ...more,
});

describe('a client report', () => {
  it.each([
    ['follows', report(), 4, 'ACTIVE', true],
    ['is behind', report({ epoch: 3 }), 4, 'ACTIVE', false],
    ['went past it', report({ epoch: 5, state: 'moving' }), 4, 'ACTIVE', true],
    ['is on the way', report({ state: 'moving' }), 4, 'ACTIVE', false],
    ['drained', report({ state: 'drained' }), 4, 'DRAIN', true],
    ['has records in flight', report({ state: 'moving' }), 4, 'DRAIN', false],
    ['reads on in DRAIN', report({ kind: 'consumer' }), 4, 'DRAIN', true],
    ['reads on in HOLD', report({ kind: 'consumer', state: 'moving' }), 4, 'HOLD', false],
    ['held', report({ kind: 'consumer', state: 'held' }), 4, 'HOLD', true],
  ] as const)('%s', (_, r, epoch, mode, adopted) => {
    expect(hasAdopted(r, { epoch, mode })).toBe(adopted);
  });

  it('is counted as a share, with the stragglers; nobody is not waited for', () => {
    const late = report({ instance: 'i2', epoch: 3 });
    expect(adoptionShare([report(), late], { epoch: 4, mode: 'ACTIVE' })).toEqual({
      known: 2,
      adopted: 1,
      share: 0.5,
      stragglers: [late],
    });
    expect(adoptionShare([], { epoch: 4, mode: 'ACTIVE' }).share).toBe(1);
  });

  it('reads what it writes, bounded, and passes over what it does not understand', () => {
    expect(parseReport(formatReport(report()))).toEqual(report());
    const wordy = report({ warnings: Array.from({ length: 50 }, String) });
    expect(parseReport(formatReport(wordy))?.warnings).toHaveLength(20);
    expect(parseReport('{')).toBeNull();
    expect(parseReport('{"version":2}')).toBeNull();
  });

  it('refuses what may never be written', () => {
    expect(() => checkReport(report({ group: '!x' }), 30_000)).toThrow(RangeError);
    expect(() => checkReport(report({ epoch: 0 }), 30_000)).toThrow(/epoch/);
    expect(() => checkReport(report(), 100)).toThrow(/5000/);
  });
});
