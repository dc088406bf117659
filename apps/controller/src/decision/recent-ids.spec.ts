import { expect, it } from 'vitest';
import { RecentIds } from './recent-ids.js';

it('is bounded, and keeps what is still asked for', () => {
  const ids = new RecentIds(3);
  ids.note('lasting', 1);
  for (let i = 0; i < 100; i++) {
    ids.note(`passing ${i}`, 2);
    expect(ids.since('lasting')).toBe(1);
  }
  expect(ids.size).toBe(3);
  expect(ids.since('passing 0')).toBeNull();
});

it('remembers the first instant, until it is told to forget', () => {
  const ids = new RecentIds();
  ids.note('x', 1);
  ids.note('x', 9);
  expect(ids.since('x')).toBe(1);
  ids.forget('x');
  expect(ids.since('x')).toBeNull();
});
