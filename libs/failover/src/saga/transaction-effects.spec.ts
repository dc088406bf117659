import { describe, expect, it } from 'vitest';
import { inTheWay, type OpenTransaction } from './transaction-effects.js';

const open = (transactionalId: string, startedAtMs: number): OpenTransaction => ({
  transactionalId,
  state: 'ongoing',
  startedAtMs,
  partitions: [{ topic: 'orders', partition: 0 }],
});

describe('transactions that a fence waits for', () => {
  it('are those of the first look, where its markers pass: a busy producer begins the next one at once', () => {
    const first = [open('pay', 1_000), open('bill', 900)];
    expect(inTheWay(first, first, true)).toEqual(first);
    expect(inTheWay([open('pay', 2_000), open('bill', 900)], first, true)).toEqual([open('bill', 900)]);
    expect(inTheWay([open('pay', 2_000), open('new', 2_000)], first, true)).toEqual([]);
  });

  it('are all that are open, where the fence refuses their markers too', () => {
    expect(inTheWay([open('pay', 2_000)], [open('pay', 1_000)], false)).toEqual([open('pay', 2_000)]);
    expect(inTheWay([], [open('pay', 1_000)], false)).toEqual([]);
  });
});
