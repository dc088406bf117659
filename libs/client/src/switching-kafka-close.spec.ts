import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PointerSource } from '#config-center';
import type { SwitchingKafka } from './client.types.js';
import { ScriptedCluster, pointerTo } from './scripted-stage.spec-helper.js';
import { createSwitchingKafka } from './switching-kafka.js';

/** Virtual time: what is bounded must end within its bound, on any machine. */
describe('the client, closed while a read of the config center is under way', () => {
  let cluster: ScriptedCluster;
  let kafka: SwitchingKafka;
  let answer: () => void;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const pointers: PointerSource = {
      read: () => answered.then(() => pointerTo('a', 2)),
      watch: (_group, onPointer) => {
        queueMicrotask(() => onPointer(pointerTo('a', 1)));
        return () => answered; // a watch reads too
      },
      close: async () => undefined,
    };
    cluster = new ScriptedCluster();
    kafka = createSwitchingKafka({ group: 'orders', pointers, clusters: { a: { brokers: [] } } }, () => cluster);
    const consumer = kafka.consumer({ groupId: 'g' });
    consumer.subscribe({ topics: ['t'] });
    const running = consumer.run({ eachMessage: async () => undefined });
    await vi.advanceTimersByTimeAsync(1_000);
    await running;
    expect(cluster.consumers[0]?.running).not.toBeNull();
  });
  afterEach(() => vi.useRealTimers());

  const closing = () => {
    const state = { ended: false };
    void kafka.close().then(() => (state.ended = true));
    return state;
  };

  it('lets its consumers leave at once, and waits two seconds for the config center', async () => {
    const close = closing();
    await vi.advanceTimersByTimeAsync(0);
    expect([cluster.consumers[0]?.left, close.ended]).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(close.ended).toBe(true);
    answer();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kafka.current()?.epoch).toBe(1);
  });

  it('ends with the answer where that comes before', async () => {
    const close = closing();
    await vi.advanceTimersByTimeAsync(500);
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(close.ended).toBe(true);
  });
});
