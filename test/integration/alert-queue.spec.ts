import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RedisServer } from '#lab';
import { BullQueue } from '../../apps/controller/src/alerting/delivery/bull-queue.js';
import {
  aDelivery,
  deliveryQueueConformance,
} from '../../apps/controller/src/alerting/delivery/delivery-queue.conformance.js';
import type { Attempt } from '../../apps/controller/src/alerting/delivery/delivery-queue.port.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.make();
  await redis.start();
});
afterAll(() => redis.close());

const until = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 10 });

/** A queue in a namespace of its own, once it is connected. */
async function opened(attempt: Attempt, receivers: readonly string[], prefix = randomBytes(4).toString('hex')) {
  const says: string[] = [];
  const queue = new BullQueue(
    { url: redis.url, prefix, answerMs: 1_000, receivers: receivers.map((name) => ({ name, minGapMs: 0 })) },
    attempt,
    { up: () => void says.push('up'), down: (why) => void says.push(why) },
  );
  await until(() => expect(says.at(-1)).toBe('up'));
  return { queue, says };
}

deliveryQueueConformance('BullMQ over Redis', async () => ({
  open: async (attempt, receivers) => (await opened(attempt, receivers)).queue,
  dispose: async () => undefined,
}));

describe('BullMQ over a Redis that fails', () => {
  const queues: BullQueue[] = [];
  afterEach(async () => {
    await Promise.all(queues.splice(0).map((queue) => queue.close()));
  });
  async function withQueue(attempt: Attempt = async () => ({ next: 'done' })) {
    const made = await opened(attempt, ['pager']);
    queues.push(made.queue);
    return made;
  }

  it('killed: says no at once, and carries again what is put after its return', async () => {
    const seen: string[] = [];
    const { queue, says } = await withQueue(async ({ alert }) => {
      seen.push(alert.id);
      return { next: 'done' };
    });
    await redis.kill();
    const began = performance.now();
    expect(await queue.put(aDelivery('1'))).toBe(false);
    expect(performance.now() - began).toBeLessThan(2_000);
    await redis.start();
    await until(() => expect(says.at(-1)).toBe('up'));
    expect(await queue.put(aDelivery('2'))).toBe(true);
    await until(() => expect(seen).toContain('2'));
  });

  it('frozen: says no within its time, and comes back by itself', async () => {
    const { queue, says } = await withQueue();
    redis.freeze();
    const began = performance.now();
    expect(await queue.put(aDelivery('1'))).toBe(false);
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(await queue.put(aDelivery('2'))).toBe(false);
    redis.thaw();
    await until(() => expect(says.at(-1)).toBe('up'));
    expect(await queue.put(aDelivery('3'))).toBe(true);
  });

  it('wiped under its workers: goes on with what is put later', async () => {
    const seen: string[] = [];
    const { queue } = await withQueue(async ({ alert }) => {
      seen.push(alert.id);
      return alert.id === '1' ? { next: 'again', inMs: 60_000 } : { next: 'done' };
    });
    await queue.put(aDelivery('1'));
    await until(() => expect(seen).toEqual(['1']));
    await redis.wipe();
    expect(await queue.put(aDelivery('2'))).toBe(true);
    await until(() => expect(seen).toContain('2'));
  });

  it('not there at the start: found once it is', async () => {
    await redis.kill();
    const says: string[] = [];
    const queue = new BullQueue(
      { url: redis.url, prefix: 'late', answerMs: 500, receivers: [{ name: 'pager', minGapMs: 0 }] },
      async () => ({ next: 'done' }),
      { up: () => void says.push('up'), down: () => void says.push('down') },
    );
    queues.push(queue);
    await until(() => expect(says).toContain('down'));
    expect(await queue.put(aDelivery('1'))).toBe(false);
    await redis.start();
    await until(() => expect(says.at(-1)).toBe('up'));
    expect(await queue.put(aDelivery('1'))).toBe(true);
  });

  it('another process carries what the first took and did not end', async () => {
    const prefix = 'shared';
    const first = await opened(async () => ({ next: 'again', inMs: 500 }), ['pager'], prefix);
    await first.queue.put(aDelivery('1'));
    await first.queue.close();
    const seen: number[] = [];
    const second = await opened(
      async ({ attempts }) => {
        seen.push(attempts);
        return { next: 'done' };
      },
      ['pager'],
      prefix,
    );
    queues.push(second.queue);
    await until(() => expect(seen).toHaveLength(1));
  });
});
