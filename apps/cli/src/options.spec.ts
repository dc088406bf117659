import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { instant } from './options.js';

const NOW = new Date('2026-11-20T14:02:31.000Z');

beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe('--at', () => {
  it('takes an instant in UTC as it is', () => {
    expect(instant('2026-11-20T22:00:00Z')).toBe('2026-11-20T22:00:00Z');
  });

  it('takes HH:MM as the next time that this machine’s clock shows it', () => {
    const at = (minutes: number): string => {
      const then = new Date(NOW.getTime() + minutes * 60_000);
      return `${String(then.getHours()).padStart(2, '0')}:${String(then.getMinutes()).padStart(2, '0')}`;
    };
    expect(Date.parse(instant(at(10)))).toBe(Date.parse('2026-11-20T14:12:00.000Z'));
    expect(Date.parse(instant(at(0)))).toBeGreaterThan(NOW.getTime() + 20 * 3_600_000);
  });

  it.each(['22', '24:00', '12:60', '2026-11-20T22:00:00+01:00', 'tomorrow', '2026-13-40T00:00:00Z'])(
    'refuses %s',
    (text) => {
      expect(() => instant(text)).toThrow(/expected/);
    },
  );
});
