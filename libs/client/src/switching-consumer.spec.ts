import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConsumerConfig, ConsumerRunConfig, EachMessagePayload } from 'kafkajs';
import { MemoryConfigCenterServer } from '#testing';
import type { SwitchingKafka } from './client.types.js';
import type { ClusterPort, ConsumerPort, ProducerPort } from './cluster.port.js';
import { pointerTo } from './scripted-stage.spec-helper.js';
import { createSwitchingKafka } from './switching-kafka.js';

class ScriptedConsumer implements ConsumerPort {
  readonly config: ConsumerConfig;
  subscribed: { topics: (string | RegExp)[]; fromBeginning: boolean } | null = null;
  running: ConsumerRunConfig | null = null;
  committed: string[] = [];
  closed = false;
  closing: Promise<void> = Promise.resolve();
  crash: (e: Error) => void = () => undefined;
  private joined: () => void = () => undefined;

  constructor(config: ConsumerConfig) {
    this.config = config;
  }
  async connect(): Promise<void> {}
  async subscribe(s: { topics: (string | RegExp)[]; fromBeginning: boolean }): Promise<void> {
    this.subscribed = s;
  }
  async run(c: ConsumerRunConfig): Promise<void> {
    this.running = c;
    this.joined();
  }
  async commitOffsets(offsets: { offset: string }[]): Promise<void> {
    this.committed.push(...offsets.map((o) => o.offset));
  }
  async disconnect(): Promise<void> {
    await this.closing;
    this.closed = true;
  }
  onJoined(f: () => void): void {
    this.joined = f;
  }
  onCrash(f: (e: Error) => void): void {
    this.crash = f;
  }
  async deliver(value: string, offset = '0'): Promise<void> {
    const message = { key: null, value: Buffer.from(value), offset, timestamp: '0', attributes: 0, headers: {} };
    const payload: EachMessagePayload = {
      topic: 't',
      partition: 0,
      message,
      heartbeat: async () => undefined,
      pause: () => () => undefined,
    };
    await this.running?.eachMessage?.(payload);
  }
}

class ScriptedCluster implements ClusterPort {
  readonly consumers: ScriptedConsumer[] = [];
  producer(): ProducerPort {
    throw new Error('no producer in these tests');
  }
  consumer(c: ConsumerConfig): ConsumerPort {
    const consumer = new ScriptedConsumer(c);
    this.consumers.push(consumer);
    return consumer;
  }
  async maxMessageBytes(): Promise<number> {
    return 1;
  }
}

describe('the switching consumer, with every order of events', () => {
  let server: MemoryConfigCenterServer;
  let clusters: Record<'a' | 'b', ScriptedCluster>;
  let kafka: SwitchingKafka;
  const told: string[] = [];

  const running = (cluster: 'a' | 'b', n = 0): Promise<ScriptedConsumer> =>
    vi.waitFor(() => {
      const found = clusters[cluster].consumers[n];
      if (found?.running === undefined || found.running === null) throw new Error(`${cluster} ${n} does not run`);
      return found;
    }, 3_000);

  beforeEach(async () => {
    told.length = 0;
    server = new MemoryConfigCenterServer();
    clusters = { a: new ScriptedCluster(), b: new ScriptedCluster() };
    server.overwrite(pointerTo('a', 1));
    kafka = createSwitchingKafka(
      {
        group: 'orders',
        pointers: server.open(),
        clusters: { a: { brokers: [] }, b: { brokers: [] } },
        rejoinJitterMs: 1,
        handlerGraceMs: 200,
      },
      (name) => clusters[name as 'a' | 'b'],
    );
    for (const e of ['pointer', 'switching', 'switched'] as const) kafka.on(e, () => told.push(e));
    await vi.waitFor(() => expect(kafka.current()?.epoch).toBe(1));
  });
  afterEach(async () => kafka.close());

  it('goes on with the same group, from the earliest where nothing is committed, though the old one hangs', async () => {
    const consumer = kafka.consumer({ groupId: 'billing' });
    const seen: string[] = [];
    consumer.subscribe({ topics: ['t', /^pay-/] });
    await consumer.run({ eachMessage: async ({ cluster, epoch }) => void seen.push(`${cluster}${epoch}`) });
    const onA = await running('a');
    await onA.deliver('x');
    onA.closing = new Promise(() => undefined); // never lets go
    server.overwrite(pointerTo('b', 2));
    const onB = await running('b');
    await vi.waitFor(() => expect(told).toEqual(['pointer', 'pointer', 'switching', 'switched']));
    await onB.deliver('y');
    expect(seen).toEqual(['a1', 'b2']);
    expect(onB.config.groupId).toBe('billing');
    expect(onB.subscribed).toEqual({ topics: ['t', /^pay-/], fromBeginning: true });
  });

  it('hands out nothing of the old cluster once the switch is announced, and commits nothing there', async () => {
    const consumer = kafka.consumer({ groupId: 'billing' });
    const seen: string[] = [];
    let commit: (() => Promise<void>) | null = null;
    consumer.subscribe({ topics: ['t'] });
    await consumer.run({
      autoCommit: false,
      eachMessage: async (p) => {
        seen.push(String(p.message.value));
        if (commit === null) await p.commit();
        commit = p.commit;
      },
    });
    const onA = await running('a');
    await onA.deliver('x', '41');
    expect(onA.committed).toEqual(['42']);
    server.overwrite(pointerTo('b', 2));
    await vi.waitFor(() => expect(told).toContain('switching'));
    await expect(onA.deliver('late')).rejects.toMatchObject({ code: 'SUPERSEDED', retriable: false });
    await expect(commit!()).rejects.toMatchObject({ code: 'SUPERSEDED' });
    expect(seen).toEqual(['x']);
    expect(await onA.config.retry?.restartOnFailure?.(new Error('crash'))).toBe(false);
    await vi.waitFor(() => expect(onA.closed).toBe(true));
  });

  it('lets a handler at work end before the first record of the new cluster, within its grace', async () => {
    const consumer = kafka.consumer({ groupId: 'billing' });
    const seen: string[] = [];
    let finish: () => void = () => undefined;
    consumer.subscribe({ topics: ['t'] });
    await consumer.run({
      eachMessage: async ({ message, cluster }) => {
        if (cluster === 'a') await new Promise<void>((resolve) => (finish = resolve));
        seen.push(String(message.value));
      },
    });
    const slow = (await running('a')).deliver('old');
    await vi.waitFor(() => expect(finish.name).not.toBe(''));
    server.overwrite(pointerTo('b', 2));
    const fresh = (await running('b')).deliver('new');
    finish();
    await Promise.all([slow, fresh]);
    expect(seen).toEqual(['old', 'new']);
  });

  describe('closed while a handler is at work', () => {
    let finish: () => void;
    const closing = async () => {
      const consumer = kafka.consumer({ groupId: 'billing' });
      const finished = new Promise<void>((resolve) => (finish = resolve));
      let seen = false;
      consumer.subscribe({ topics: ['t'] });
      await consumer.run({
        autoCommit: false,
        eachMessage: async ({ commit }) => {
          seen = true;
          await finished;
          await commit();
        },
      });
      const onA = await running('a');
      const handled = onA.deliver('x', '41');
      handled.catch(() => undefined); // looked at by the tests, after the close
      await vi.waitFor(() => expect(seen).toBe(true));
      return { onA, handled, closed: consumer.disconnect() };
    };

    it('takes its commit before it leaves the group, so that a restart does not read the record again', async () => {
      const { onA, handled, closed } = await closing();
      const next = onA.deliver('next', '42');
      next.catch(() => undefined);
      expect(onA.closed).toBe(false);
      finish();
      await Promise.all([handled, closed]);
      await expect(next).rejects.toMatchObject({ code: 'SUPERSEDED' });
      expect(onA.committed).toEqual(['42']);
      expect(onA.closed).toBe(true);
    });

    it('leaves after its grace, and takes no commit any more', async () => {
      const { onA, handled, closed } = await closing();
      await closed;
      expect(onA.closed).toBe(true);
      finish();
      await expect(handled).rejects.toMatchObject({ code: 'SUPERSEDED' });
      expect(onA.committed).toEqual([]);
    });
  });

  it('makes a new consumer after a crash, which kafkajs must not do by itself, and says so once', async () => {
    const blocked = vi.fn();
    kafka.on('blocked', blocked);
    const consumer = kafka.consumer({ groupId: 'billing' });
    consumer.subscribe({ topics: ['t'] });
    await consumer.run({ eachMessage: async () => undefined });
    const first = await running('a');
    expect(await first.config.retry?.restartOnFailure?.(new Error('crash'))).toBe(false);
    first.crash(new Error('first'));
    (await running('a', 1)).crash(new Error('second'));
    await running('a', 2);
    expect(blocked).toHaveBeenCalledTimes(1);
    expect(clusters.a.consumers[0]?.closed).toBe(true);
  });
});
