import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Alert } from '../persistence/authority-store.port.js';
import { compileAlertingOptions } from './alerting.options.js';
import { DeliveryLane } from './delivery-lane.js';
import type { SendOutcome } from './webhook/webhook-sender.js';

const alert: Alert = {
  id: 'al_1',
  incident: 'i',
  type: 'acting',
  group: 'orders',
  row: 410,
  reason: 'r',
  blockers: [],
  term: 1,
  epoch: 7,
  at: '2026-11-20T14:02:31Z',
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A lane whose receiver answers from `outcomes` (then for ever with the last); `atMs`: when it was asked. */
const lane = (outcomes: readonly SendOutcome[]) => {
  const startMs = performance.now();
  const atMs: number[] = [];
  const made = new DeliveryLane(
    'oncall',
    async () => {
      atMs.push(performance.now() - startMs);
      return outcomes[Math.min(atMs.length, outcomes.length) - 1] ?? { ok: true };
    },
    compileAlertingOptions({ receivers: [] }),
    { attempted: () => undefined, dropped: () => undefined },
  );
  return { made, atMs };
};

const failed: SendOutcome = { ok: false, error: 'answered 503' };

describe('a delivery lane', () => {
  it('tries at 0, 1, 5, 15 and 60 s after each other, then every 5 minutes, then never again', async () => {
    const { made, atMs } = lane([failed]);
    made.offer(alert, 'outbox', 0);
    await vi.advanceTimersByTimeAsync(700_000);
    expect(atMs).toEqual([0, 1_000, 6_000, 21_000, 81_000, 381_000, 681_000]);
    await vi.advanceTimersByTimeAsync(48 * 3_600_000);
    expect(atMs).toHaveLength(300);
    expect(made.isSettled(alert.id)).toBe(true);
    expect(made.wasDelivered(alert.id)).toBe(false);
  });

  it('goes on counting where another leader stopped, but tries at once', async () => {
    const { made, atMs } = lane([failed]);
    made.offer(alert, 'outbox', 4);
    await vi.advanceTimersByTimeAsync(299_000);
    expect(atMs).toEqual([0]);
  });

  it('tries everything that waits as soon as one is taken', async () => {
    const { made, atMs } = lane([failed, { ok: true }]);
    made.offer(alert, 'outbox', 10);
    await vi.advanceTimersByTimeAsync(10);
    made.offer({ ...alert, id: 'al_2' }, 'outbox', 0);
    await vi.advanceTimersByTimeAsync(10);
    expect(atMs).toHaveLength(3);
    expect(made.waiting()).toEqual([]);
  });

  it('takes nothing twice, and nothing after it was delivered', async () => {
    const { made, atMs } = lane([{ ok: true }]);
    made.offer(alert, 'direct', 0);
    made.offer(alert, 'outbox', 0);
    await vi.advanceTimersByTimeAsync(10);
    made.offer(alert, 'outbox', 0);
    await vi.advanceTimersByTimeAsync(10);
    expect(atMs).toHaveLength(1);
  });
});
