import { expect, it, vi } from 'vitest';
import { LostLeadershipError, StoreUnavailableError } from '../persistence/authority-store.port.js';
import { askStore } from './store-patience.js';

const silence = new StoreUnavailableError('reading', { cause: new Error('no answer') });
const patience = { time: { sleep: () => Promise.resolve() }, retryMs: 500 };
const never = new AbortController().signal;

it('a store that is silent for a moment is asked again', async () => {
  const ask = vi.fn(() => Promise.resolve('there'));
  ask.mockRejectedValueOnce(silence).mockRejectedValueOnce(silence);
  expect(await askStore(ask, patience, never)).toBe('there');
  expect(ask).toHaveBeenCalledTimes(3);
});

it('what the store refuses is not asked again', async () => {
  const ask = vi.fn(() => Promise.reject(new LostLeadershipError(3)));
  await expect(askStore(ask, patience, never)).rejects.toBeInstanceOf(LostLeadershipError);
  expect(ask).toHaveBeenCalledTimes(1);
});

it('at the deadline of the step the silence is what is told', async () => {
  const ask = vi.fn(() => Promise.reject(silence));
  const time = { sleep: () => Promise.reject(new Error('the deadline passed')) };
  await expect(askStore(ask, { time, retryMs: 500 }, never)).rejects.toBe(silence);
  expect(ask).toHaveBeenCalledTimes(1);
});
