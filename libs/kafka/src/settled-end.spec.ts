import { describe, expect, it } from 'vitest';
import { settled, type LogEnds } from './settled-end.js';

const ends = (leaderEpoch: number, visible: number, written: number): LogEnds => ({ leaderEpoch, visible, written });

async function after(waitMs: number, ...looks: readonly (LogEnds | null)[]): Promise<number> {
  const left = [...looks];
  const look = () => Promise.resolve(left.length > 1 ? (left.shift() ?? null) : (left[0] ?? null));
  return settled('the log', look, { waitMs, signal: AbortSignal.timeout(20_000) });
}

describe('the end of a log that settles', () => {
  it('is reached when readers see what was written at the first look, though more is written all the time', async () => {
    expect(await after(10_000, ends(1, 5, 8), ends(1, 7, 11), ends(1, 9, 14))).toBe(9);
  });

  it('is measured anew by another leader, whose log may be shorter', async () => {
    expect(await after(10_000, ends(1, 5, 8), null, ends(2, 5, 6), ends(2, 6, 6))).toBe(6);
  });

  it.each([
    ['hidden records stay hidden', ends(1, 5, 8), 'written up to 8, visible up to 5'],
    ['a leader cannot say', null, 'cannot say'],
  ])('is an error when %s for too long', async (_, look, said) => {
    await expect(after(0, look)).rejects.toThrow(said);
  });
});
