import { describe, expect, it } from 'vitest';
import { LagTrend } from './lag-trend.js';

const BUDGET_MS = 30_000;

const trendOf = (lags: readonly (number | null)[]): string => {
  const trend = new LagTrend();
  lags.forEach((lag, i) => trend.add('orders', i * 2_000, lag));
  return trend.of('orders', BUDGET_MS);
};

describe('the trend of lag', () => {
  it.each([
    ['unknown before there is anything to compare', [400], 'unknown'],
    ['unknown when lag is', [null, null, null, null], 'unknown'],
    ['steady within a fiftieth of the budget', [400, 900, 200, 700], 'steady'],
    ['rising', [400, 2_000, 4_000, 6_000], 'rising'],
    ['falling', [9_000, 6_000, 3_000, 1_000], 'falling'],
    ['over gaps', [9_000, null, null, 1_000], 'falling'],
  ] as const)('is %s', (_name, lags, expected) => expect(trendOf(lags)).toBe(expected));

  it('forgets what is older than 30 s', () => {
    expect(trendOf([90_000, ...Array.from({ length: 17 }, () => 400)])).toBe('steady');
  });
});
