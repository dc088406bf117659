import { expect, it } from 'vitest';
import { RepeatedReads } from './repeated-reads.js';

const WINDOW_MS = 300_000;

it('tells what was repeated once a window, with its number and its last call, and forgets what has ended', () => {
  const reads = new RepeatedReads<string>(WINDOW_MS);
  expect(reads.count('k', 'r-0')).toBe(false);
  reads.begin('k', 'GET /v1/groups', 0);
  for (let i = 1; i <= 299; i += 1) expect(reads.count('k', `r-${i}`)).toBe(true);
  expect(reads.take(WINDOW_MS - 1)).toEqual([]);
  expect(reads.take(WINDOW_MS)).toEqual([{ first: 'GET /v1/groups', sinceMs: 0, times: 299, requestId: 'r-299' }]);
  expect(reads.count('k', 'r-300')).toBe(true);
  expect(reads.take(2 * WINDOW_MS)).toMatchObject([{ times: 1, sinceMs: WINDOW_MS, requestId: 'r-300' }]);
  expect(reads.take(3 * WINDOW_MS)).toEqual([]);
  expect(reads.count('k', 'r-301')).toBe(false);
});

it('tells all that it has when it ends, before their windows do', () => {
  const reads = new RepeatedReads<string>(WINDOW_MS);
  reads.begin('once', 'a', 0);
  reads.begin('more', 'b', 0);
  reads.count('more', 'r-1');
  expect(reads.take(1, true)).toMatchObject([{ first: 'b', times: 1 }]);
  expect(reads.take(WINDOW_MS, true)).toEqual([]);
});
