import { expect, it } from 'vitest';
import { LeaseTokens } from './lease-tokens.js';

it('goes on counting where a spell of leading begins again in the same term: agents take no lower number', () => {
  const tokens = new LeaseTokens();
  tokens.begin(3, 1_000);
  const before = [tokens.nextNumber(), tokens.nextNumber()];
  tokens.end();
  tokens.begin(3, 9_000); // the loop stood still for a while
  expect(tokens.nextNumber()).toBeGreaterThan(Math.max(...before));
  expect(tokens.ageMs('orders', 'a', 10_000)).toBe(1_000); // what was issued before the stall counts no more
});

it('counts from 1 in a new term', () => {
  const tokens = new LeaseTokens();
  tokens.begin(3, 1_000);
  tokens.nextNumber();
  tokens.end();
  tokens.begin(5, 2_000);
  expect(tokens.nextNumber()).toBe(1);
});
