import { describe, expect, it } from 'vitest';
import { fitLine, growth, median, quantile, textTable } from './index.js';

describe('series', () => {
  it('interpolates quantiles', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(quantile([1, 2, 3, 4, 5], 0.75)).toBe(4);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('compares the halves, the middle sample in neither', () => {
    expect(growth([1, 1, 9, 3, 3])).toBe(2);
  });
});

describe('fitLine', () => {
  it('finds an exact line', () => {
    const line = fitLine([0, 1, 2, 3].map((x) => ({ x, y: 5 + 2 * x })));
    expect(line.slope).toBeCloseTo(2);
    expect(line.slopeError).toBeCloseTo(0);
  });

  it('does not call a wave a trend', () => {
    const wave = Array.from({ length: 60 }, (_, x) => ({ x, y: 100 + 10 * Math.sin(x / 6) }));
    const { slope, slopeError } = fitLine(wave);
    expect(Math.abs(slope)).toBeLessThan(2 * slopeError);
  });

  it('sees a slow leak under noise', () => {
    const leak = Array.from({ length: 100 }, (_, x) => ({ x, y: x + 5 * ((x * 7919) % 13) }));
    const { slope, slopeError } = fitLine(leak);
    expect(slope - 2 * slopeError).toBeGreaterThan(0.5);
  });

  it('says nothing of two points', () => {
    expect(
      fitLine([
        { x: 0, y: 0 },
        { x: 1, y: 1 },
      ]).slope,
    ).toBeNaN();
  });
});

describe('textTable', () => {
  it('pads words left and numbers right', () => {
    expect(
      textTable([
        ['name', 'count'],
        ['x', '7'],
        ['longer', 'none'],
      ]),
    ).toBe('name    count\n──────  ─────\nx           7\nlonger  none');
  });
});
