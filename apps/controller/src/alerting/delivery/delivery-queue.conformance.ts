import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Alert } from '../../persistence/alerts.port.js';
import { deliveryKey } from './delivery-queue.port.js';
import type { Attempt, AttemptResult, Delivery, DeliveryQueue } from './delivery-queue.port.js';

export type QueueBench = Readonly<{
  /** An empty queue for these receivers; called once per test. */
  open(attempt: Attempt, receivers: readonly string[]): Promise<DeliveryQueue>;
  dispose(): Promise<void>;
}>;

const RECEIVERS = ['pager', 'chat'];
const WITHIN = { timeout: 20_000, interval: 5 };

export const aDelivery = (id: string, receiver = 'pager', more: Partial<Delivery> = {}): Delivery => {
  const alert: Alert = {
    ...{ id, incident: 'inc', type: 'acting', group: 'orders', row: 410, reason: 'r', blockers: [] },
    ...{ term: 1, epoch: 7, at: '2026-11-20T14:02:31.000Z' },
  };
  return { key: deliveryKey(id, receiver, 1), receiver, round: 1, alert, attempts: 0, ...more };
};

/** Hangs as a receiver does, until the queue is closed. */
const brokenOff = (signal: AbortSignal): Promise<AttemptResult> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve({ next: 'again', inMs: 1_000 }), { once: true });
  });

/** What every carrier of alerts must do, whatever lies underneath. */
export function deliveryQueueConformance(name: string, prepare: () => Promise<QueueBench>): void {
  describe(`delivery queue: ${name}`, () => {
    let bench: QueueBench;
    let queue: DeliveryQueue;
    let asked: { id: string; receiver: string; attempts: number; atMs: number }[];
    let answer: (delivery: Delivery, nth: number, signal: AbortSignal) => AttemptResult | Promise<AttemptResult>;

    beforeEach(async () => {
      bench = await prepare();
      asked = [];
      answer = () => ({ next: 'done' });
      queue = await bench.open(async (delivery, signal) => {
        const { alert, receiver, attempts } = delivery;
        asked.push({ id: alert.id, receiver, attempts, atMs: performance.now() });
        return answer(delivery, asked.filter((a) => a.id === alert.id).length, signal);
      }, RECEIVERS);
    });
    afterEach(async () => {
      await queue.close();
      await bench.dispose();
    });

    const ids = (receiver?: string) =>
      asked.filter((a) => receiver === undefined || a.receiver === receiver).map((a) => a.id);
    const until = (check: () => void) => vi.waitFor(check, WITHIN);

    it('hands over what it was given, whole and in order', async () => {
      for (const id of ['1', '2', '3']) expect(await queue.put(aDelivery(id))).toBe(true);
      await until(() => expect(ids()).toEqual(['1', '2', '3']));
    });

    it('holds a delivery once, however often it is put', async () => {
      let open: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        open = resolve;
      });
      answer = async () => {
        await held;
        return { next: 'done' };
      };
      for (let i = 0; i < 5; i += 1) expect(await queue.put(aDelivery('1'))).toBe(true);
      open();
      await queue.put(aDelivery('2'));
      await until(() => expect(ids()).toContain('2'));
      expect(ids()).toEqual(['1', '2']);
    });

    it('hands it over again when it is due, counting on from the attempts that others made', async () => {
      answer = (_delivery, nth) => (nth < 4 ? { next: 'again', inMs: nth * 60 } : { next: 'done' });
      await queue.put(aDelivery('1', 'pager', { attempts: 7 }));
      await until(() => expect(ids()).toHaveLength(4));
      expect(asked.map((a) => a.attempts)).toEqual([7, 8, 9, 10]);
      const gaps = asked.slice(1).map((a, i) => a.atMs - (asked[i]?.atMs ?? 0));
      for (const [i, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual((i + 1) * 60 - 5);
    });

    it('counts no attempt when the receiver was to be left alone, and asks nothing of it meanwhile', async () => {
      answer = (_delivery, nth) =>
        nth === 1 && ids().length === 1 ? { next: 'limited', inMs: 150 } : { next: 'done' };
      await queue.put(aDelivery('1'));
      await until(() => expect(ids()).toHaveLength(1));
      await queue.put(aDelivery('2'));
      await until(() => expect(new Set(ids()).size).toBe(2));
      await until(() => expect(ids().filter((id) => id === '1')).toHaveLength(2));
      expect((asked[1]?.atMs ?? 0) - (asked[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(140);
      expect(asked.map((a) => a.attempts)).toEqual([0, 0, 0]);
    });

    it('a receiver that hangs or fails costs another nothing', async () => {
      answer = ({ receiver }, _nth, signal) => (receiver === 'pager' ? brokenOff(signal) : { next: 'done' });
      await queue.put(aDelivery('1', 'pager'));
      for (const id of ['2', '3']) await queue.put(aDelivery(id, 'chat'));
      await until(() => expect(ids('chat')).toEqual(['2', '3']));
    });

    it('lets the next one leave while one waits for its time', async () => {
      answer = ({ alert }) => (alert.id === '1' ? { next: 'again', inMs: 60_000 } : { next: 'done' });
      await queue.put(aDelivery('1'));
      await queue.put(aDelivery('2'));
      await until(() => expect(ids()).toContain('2'));
    });

    it('takes what was done once more: a dead letter is sent again under another round', async () => {
      await queue.put(aDelivery('1'));
      await until(() => expect(ids()).toEqual(['1']));
      await queue.put({ ...aDelivery('1'), round: 2, key: deliveryKey('1', 'pager', 2) });
      await until(() => expect(ids()).toEqual(['1', '1']));
    });

    it('takes nothing for a receiver that it does not know, and nothing after it was closed', async () => {
      expect(await queue.put(aDelivery('1', 'nobody'))).toBe(false);
      await queue.close();
      expect(await queue.put(aDelivery('2'))).toBe(false);
      expect(ids()).toEqual([]);
    });
  });
}
