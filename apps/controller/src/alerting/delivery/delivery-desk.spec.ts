import { beforeEach, describe, expect, it } from 'vitest';
import { compileAlertingOptions } from '../alerting.options.js';
import type { SendOutcome } from '../receivers/sender.js';
import { aDelivery } from './delivery-queue.conformance.js';
import { DeliveryDesk } from './delivery-desk.js';
import { TakeOver } from './take-over.js';

const FAILED: SendOutcome = { ok: false, error: 'answered 503', forGood: false, retryAfterMs: 0 };
const never = new AbortController().signal;

describe('the delivery desk', () => {
  let marks: unknown[];
  let answer: SendOutcome | Promise<SendOutcome>;
  let sends: number;
  let desk: DeliveryDesk;

  beforeEach(() => {
    marks = [];
    sends = 0;
    answer = { ok: true };
    desk = new DeliveryDesk(
      async () => {
        sends += 1;
        return answer;
      },
      compileAlertingOptions({ receivers: [] }),
      {
        mark: async (id, receiver, outcome) => void marks.push({ id, receiver, ...outcome }),
        delivered: () => undefined,
        failed: () => undefined,
      },
    );
  });

  it('tries at 0, 1, 5, 15 and 60 s after each other, then every 5 minutes, then never again', async () => {
    answer = FAILED;
    const waits: (number | null)[] = [];
    for (let attempts = 0; attempts < 300; attempts += 1) {
      const result = await desk.attempt(aDelivery('1', 'pager', { attempts }), never);
      waits.push(result.next === 'done' ? null : result.inMs / 1_000);
    }
    expect(waits.slice(0, 6)).toEqual([1, 5, 15, 60, 300, 300]);
    expect(waits.indexOf(null)).toBe(299);
    expect(marks.at(-1)).toMatchObject({ id: '1', error: 'answered 503', dead: true, round: 1 });
    expect(desk.isEnded(aDelivery('1').key)).toBe(true);
    expect(desk.wasDelivered(aDelivery('1').key)).toBe(false);
  });

  it('gives up at once when no repetition can help, and waits as long as the receiver asks', async () => {
    answer = { ...FAILED, forGood: true };
    expect(await desk.attempt(aDelivery('1'), never)).toEqual({ next: 'done' });
    answer = { ...FAILED, retryAfterMs: 20_000 };
    expect(await desk.attempt(aDelivery('2'), never)).toEqual({ next: 'again', inMs: 20_000 });
    answer = { ok: false, waitMs: 300 };
    expect(await desk.attempt(aDelivery('3'), never)).toEqual({ next: 'limited', inMs: 300 });
    expect(marks).toHaveLength(2);
  });

  it('sends nothing twice that was taken, nor two of one delivery at once', async () => {
    let taken: (outcome: SendOutcome) => void = () => undefined;
    answer = new Promise((resolve) => {
      taken = resolve;
    });
    const first = desk.attempt(aDelivery('1'), never);
    expect(await desk.attempt(aDelivery('1'), never)).toMatchObject({ next: 'limited' });
    taken({ ok: true });
    expect(await first).toEqual({ next: 'done' });
    expect(await desk.attempt(aDelivery('1'), never)).toEqual({ next: 'done' });
    expect(sends).toBe(1);
  });
});

describe('taking over from a queue', () => {
  const delayMs = (attempts: number): number => attempts * 10_000;

  it('happens once nothing came of a delivery past its time', () => {
    const takeOver = new TakeOver(3_000, 10, delayMs);
    expect(takeOver.next(aDelivery('1'), 0)).toBe('queue');
    expect(takeOver.next(aDelivery('1'), 2_999)).toBe('wait');
    expect(takeOver.next(aDelivery('1'), 3_000)).toBe('here');
    expect(takeOver.next(aDelivery('1'), 3_001)).toBe('here');
  });

  it('waits for the next attempt when the first one was seen', () => {
    const takeOver = new TakeOver(3_000, 10, delayMs);
    takeOver.next(aDelivery('1'), 0);
    const tried = aDelivery('1', 'pager', { attempts: 1 });
    expect(takeOver.next(tried, 1_000)).toBe('wait');
    expect(takeOver.next(tried, 13_999)).toBe('wait');
    expect(takeOver.next(tried, 14_000)).toBe('here');
  });

  it('is patient with a receiver that is only busy, and at once when the queue says no', () => {
    const takeOver = new TakeOver(3_000, 10, delayMs);
    for (const id of ['1', '2', '3']) takeOver.next(aDelivery(id), 0);
    takeOver.ended('1', 'pager', 2_900);
    expect(takeOver.next(aDelivery('3'), 5_000)).toBe('wait');
    takeOver.refused(aDelivery('2'));
    expect(takeOver.next(aDelivery('2'), 5_000)).toBe('here');
    takeOver.forget();
    expect(takeOver.next(aDelivery('2'), 5_000)).toBe('queue');
  });

  it('knows a bounded number of deliveries for each receiver, and another round of one as a new one', () => {
    const takeOver = new TakeOver(3_000, 2, delayMs);
    for (const id of ['1', '2']) expect(takeOver.next(aDelivery(id), 0)).toBe('queue');
    expect(takeOver.next(aDelivery('3'), 0)).toBe('full');
    expect([takeOver.hasRoom('pager'), takeOver.hasRoom('chat')]).toEqual([false, true]);
    expect(takeOver.next(aDelivery('3', 'chat'), 0)).toBe('queue');
    expect(takeOver.next(aDelivery('2', 'pager', { round: 2 }), 10)).toBe('queue');
    takeOver.ended('1', 'pager');
    expect(takeOver.next(aDelivery('3'), 0)).toBe('queue');
  });
});
