import type { ConsumerRunConfig, ProducerRecord, RecordMetadata } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Pointer } from '#config-center';
import { MemoryConfigCenterServer } from '#testing';
import { TransactionAbortedError } from './client.errors.js';
import type { SwitchingKafka } from './client.types.js';
import type { ClusterPort, ConsumerPort, ProducerPort, TransactionPort } from './cluster.port.js';
import { createSwitchingKafka } from './switching-kafka.js';

type Call = Readonly<{ values: string[]; ack(): void; fail(e: Error): void }>;

/** A cluster whose produce requests the test answers, whose consumers it feeds and whose transactions it looks into. */
class ScriptedCluster implements ClusterPort {
  readonly calls: Call[] = [];
  readonly consumers: ScriptedConsumer[] = [];
  readonly transactions: string[][] = [];
  commitGate: Promise<void> = Promise.resolve();
  sessions = 0;

  producer(): ProducerPort {
    this.sessions++;
    return {
      connect: async () => undefined,
      disconnect: async () => undefined,
      transaction: async () => this.begin(),
      send: (record: ProducerRecord) =>
        new Promise<RecordMetadata[]>((resolve, reject) => {
          const values = record.messages.map((m) => String(m.value));
          this.calls.push({ values, fail: reject, ack: () => resolve([]) });
        }),
    };
  }

  consumer(): ConsumerPort {
    const consumer = new ScriptedConsumer();
    this.consumers.push(consumer);
    return consumer;
  }

  async maxMessageBytes(): Promise<number> {
    return 1;
  }

  private begin(): TransactionPort {
    const log: string[] = [];
    this.transactions.push(log);
    return {
      send: async (record) => {
        const value = String(record.messages[0]?.value);
        if (value === 'fenced') throw Object.assign(new Error('error 10'), { code: 10 });
        log.push(value);
        return [];
      },
      sendOffsets: async () => void log.push('offsets'),
      commit: async () => {
        await this.commitGate;
        log.push('COMMIT');
      },
      abort: async () => void log.push('ABORT'),
    };
  }
}

class ScriptedConsumer implements ConsumerPort {
  running: ConsumerRunConfig | null = null;
  left = false;
  readonly committed: string[] = [];
  private joined: () => void = () => undefined;

  async connect(): Promise<void> {}
  async subscribe(): Promise<void> {}
  async run(c: ConsumerRunConfig): Promise<void> {
    this.running = c;
    this.joined();
  }
  async commitOffsets(offsets: { offset: string }[]): Promise<void> {
    if (this.left) return; // as kafkajs: dropped without a word
    this.committed.push(...offsets.map((o) => o.offset));
  }
  async disconnect(): Promise<void> {
    this.left = true;
  }
  onJoined(f: () => void): void {
    this.joined = f;
  }
  onCrash(): void {}
  async deliver(offset: string): Promise<void> {
    const message = { key: null, value: null, offset, timestamp: '0', attributes: 0, headers: {} };
    const rest = { heartbeat: async () => undefined, pause: () => () => undefined };
    await this.running?.eachMessage?.({ topic: 't', partition: 0, message, ...rest });
  }
}

/** A batch as kafkajs hands it out, and what it does afterwards. */
class ScriptedBatch {
  stale = false;
  private resolved: string | null = null;
  private readonly offsets: readonly string[];

  constructor(offsets: readonly string[]) {
    this.offsets = offsets;
  }

  async deliverTo(consumer: ScriptedConsumer): Promise<void> {
    const last = this.offsets.at(-1) ?? '';
    const fields = { key: null, value: null, timestamp: '0', attributes: 0, headers: {} };
    const messages = this.offsets.map((offset) => ({ ...fields, offset }));
    await consumer.running?.eachBatch?.({
      batch: {
        topic: 't',
        partition: 0,
        highWatermark: '0',
        messages,
        isEmpty: () => false,
        firstOffset: () => this.offsets[0] ?? null,
        lastOffset: () => last,
        offsetLag: () => '0',
        offsetLagLow: () => '0',
      },
      resolveOffset: (offset) => void (this.resolved = offset),
      heartbeat: async () => undefined,
      pause: () => () => undefined,
      commitOffsetsIfNecessary: async () => undefined,
      uncommittedOffsets: () => ({ topics: [] }),
      isRunning: () => true,
      isStale: () => this.stale,
    });
    if (consumer.running?.eachBatchAutoResolve !== false) this.resolved = last;
    if (this.resolved !== null) await consumer.commitOffsets([{ offset: (BigInt(this.resolved) + 1n).toString() }]);
  }
}

describe('DRAIN and HOLD', () => {
  let server: MemoryConfigCenterServer;
  let clusters: Record<'a' | 'b', ScriptedCluster>;
  let kafka: SwitchingKafka;
  let told: string[];

  const pointer = (activeCluster: string, epoch: number, more: Partial<Pointer> = {}): Pointer => ({
    version: 1,
    group: 'orders',
    activeCluster,
    mode: 'ACTIVE',
    epoch,
    term: 1,
    sagaId: null,
    bootstrapServers: ['x:1'],
    publishedAt: '2026-11-20T14:02:31Z',
    ...more,
  });
  const move = async (p: Pointer) => {
    server.overwrite(p);
    await vi.waitFor(() => expect(kafka.current()).toEqual(p));
  };
  const call = async (cluster: 'a' | 'b', n: number): Promise<Call> =>
    vi.waitFor(() => {
      const found = clusters[cluster].calls[n];
      if (found === undefined) throw new Error(`no call ${n} on ${cluster}`);
      return found;
    }, 3_000);
  const consumerOf = (cluster: 'a' | 'b', n = 0): Promise<ScriptedConsumer> =>
    vi.waitFor(() => {
      const found = clusters[cluster].consumers[n];
      if (found?.running === undefined || found.running === null) throw new Error(`${cluster} ${n} does not run`);
      return found;
    }, 3_000);
  const sender = async (config = {}) => {
    const producer = kafka.producer(config);
    await producer.connect();
    return { producer, send: (value: string) => producer.send({ topic: 't', messages: [{ value }] }) };
  };

  beforeEach(async () => {
    server = new MemoryConfigCenterServer();
    clusters = { a: new ScriptedCluster(), b: new ScriptedCluster() };
    server.overwrite(pointer('a', 1));
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
    told = [];
    kafka.on('paused', ({ pointer: p }) => told.push(`paused ${p.mode}`));
    kafka.on('resumed', ({ by }) => told.push(`resumed by ${by}`));
    kafka.on('switched', ({ to }) => told.push(`switched ${to}`));
    await vi.waitFor(() => expect(kafka.current()?.epoch).toBe(1));
  });
  afterEach(async () => kafka.close());

  it('DRAIN waits for what is in flight, keeps what was never sent, and sends it to the next cluster', async () => {
    const { producer, send } = await sender();
    const sends = ['0', '1', '2'].map(send);
    const inFlight = await call('a', 0);
    await move(pointer('a', 2, { mode: 'DRAIN', maxMs: 60_000 }));
    const late = send('3');
    expect(told).toEqual([]);
    inFlight.ack();
    expect(await sends[0]).toMatchObject({ cluster: 'a', epoch: 2, resent: false });
    await vi.waitFor(() => expect(told).toEqual(['paused DRAIN']));
    expect(producer.pending().records).toBe(3);
    expect(clusters.a.calls).toHaveLength(1);
    await move(pointer('b', 3));
    const onB = await call('b', 0);
    expect(onB.values).toEqual(['1', '2', '3']);
    onB.ack();
    expect(await Promise.all([...sends.slice(1), late])).toMatchObject([
      { cluster: 'b', resent: false },
      { cluster: 'b', resent: false },
      { cluster: 'b', resent: false },
    ]);
    expect(told).toEqual(['paused DRAIN', 'resumed by pointer', 'switched b']);
  });

  it('DRAIN asks again about a record whose end is unknown, and is not quiet before', async () => {
    const { send } = await sender();
    const sent = send('0');
    const first = await call('a', 0);
    await move(pointer('a', 2, { mode: 'DRAIN', maxMs: 60_000 }));
    first.fail(Object.assign(new Error('connection lost'), { name: 'KafkaJSConnectionError' }));
    const again = await call('a', 1);
    expect(told).toEqual([]);
    again.ack();
    expect(await sent).toMatchObject({ cluster: 'a', resent: true });
    await vi.waitFor(() => expect(told).toEqual(['paused DRAIN']));
  });

  it('DRAIN has a bounded buffer', async () => {
    const { producer, send } = await sender({ buffer: { maxRecords: 2, maxWaitMs: 60_000 } });
    await move(pointer('a', 2, { mode: 'DRAIN', maxMs: 60_000 }));
    const kept = Promise.allSettled([send('0'), send('1')]);
    await expect(send('2')).rejects.toMatchObject({ code: 'BUFFER_FULL' });
    await producer.disconnect(50);
    expect((await kept).map((k) => k.status === 'rejected' && k.reason.maybeWritten)).toEqual([false, false]);
  });

  it('both end by themselves after maxMs, with the config center silent', async () => {
    const { send } = await sender();
    const consumer = kafka.consumer({ groupId: 'billing' });
    consumer.subscribe({ topics: ['t'] });
    await consumer.run({ eachMessage: async () => undefined });
    const first = await consumerOf('a');
    await move(pointer('a', 2, { mode: 'HOLD', maxMs: 300 }));
    server.stop();
    const sent = send('0');
    await vi.waitFor(() => expect(first.left).toBe(true));
    expect(kafka.mode()).toBe('HOLD');
    expect(clusters.a.calls).toHaveLength(0);
    (await call('a', 0)).ack();
    expect(await sent).toMatchObject({ cluster: 'a', epoch: 2 });
    expect(kafka.mode()).toBe('ACTIVE');
    await consumerOf('a', 1);
    expect(told).toEqual(['paused HOLD', 'resumed by max-ms']);
  });

  it('DRAIN leaves consumers alone; HOLD lets the handler end, takes its commit, and leaves the group', async () => {
    const consumer = kafka.consumer({ groupId: 'billing' });
    let finish: () => void = () => undefined;
    const seen: string[] = [];
    consumer.subscribe({ topics: ['t'] });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message, commit }) => {
        seen.push(message.offset);
        await new Promise<void>((resolve) => (finish = resolve));
        await commit();
      },
    });
    const onA = await consumerOf('a');
    await move(pointer('a', 2, { mode: 'DRAIN', maxMs: 60_000 }));
    const handled = onA.deliver('41');
    await vi.waitFor(() => expect(seen).toEqual(['41']));
    await move(pointer('a', 3, { mode: 'HOLD', maxMs: 60_000 }));
    const refused = onA.deliver('42');
    refused.catch(() => undefined);
    expect(onA.left).toBe(false);
    finish();
    await handled;
    await expect(refused).rejects.toMatchObject({ code: 'SUPERSEDED' });
    await vi.waitFor(() => expect(told).toEqual(['paused DRAIN', 'paused HOLD']));
    expect(onA.committed).toEqual(['42']);
    expect(onA.left).toBe(true);
    expect(seen).toEqual(['41']);
    await vi.waitFor(() =>
      expect(server.adoptions('orders')).toMatchObject([{ kind: 'consumer', epoch: 3, mode: 'HOLD', state: 'held' }]),
    );
    await move(pointer('b', 4));
    await consumerOf('b');
    await vi.waitFor(() => expect(told.at(-1)).toBe('switched b'));
    await vi.waitFor(() =>
      expect(server.adoptions('orders')).toMatchObject([{ cluster: 'b', epoch: 4, state: 'following' }]),
    );
  });

  describe('a batch', () => {
    const OFFSETS = ['40', '41', '42', '43'];
    /** Handles until it is told to stop, or to the end. `reached` is called before each record. */
    const start = async (reached: (offset: string) => Promise<void> | void, config = {}): Promise<ScriptedConsumer> => {
      const consumer = kafka.consumer({ groupId: 'billing' });
      consumer.subscribe({ topics: ['t'] });
      await consumer.run({
        ...config,
        eachBatch: async (given) => {
          for (const { offset } of given.batch.messages) {
            await reached(offset);
            if (!given.isRunning() || given.isStale()) return;
            if (offset === '41') given.resolveOffset(offset);
          }
        },
      });
      return consumerOf('a');
    };

    it('that its handler broke off for a HOLD is committed as far as the handler resolved it', async () => {
      const onA = await start(async (offset) => {
        if (offset !== '42') return;
        await move(pointer('a', 2, { mode: 'HOLD', maxMs: 60_000 }));
      });
      await new ScriptedBatch(OFFSETS).deliverTo(onA);
      expect(onA.committed).toEqual(['42']);
      await vi.waitFor(() => expect(told).toEqual(['paused HOLD']));
    });

    it('that was handled to its end is committed to its end', async () => {
      const onA = await start(() => undefined);
      await new ScriptedBatch(OFFSETS).deliverTo(onA);
      expect(onA.committed).toEqual(['44']);
    });

    it('that became stale is not resolved over what it was moved to', async () => {
      const batch = new ScriptedBatch(OFFSETS);
      const onA = await start((offset) => void (batch.stale = offset === '43'));
      await batch.deliverTo(onA);
      expect(onA.committed).toEqual(['42']);
    });

    it('is left to its handler where that resolves by itself', async () => {
      const onA = await start(() => undefined, { eachBatchAutoResolve: false });
      await new ScriptedBatch(OFFSETS).deliverTo(onA);
      expect(onA.committed).toEqual(['42']);
    });
  });

  it('goes on where it was after an abort: ACTIVE of the same cluster with a higher epoch', async () => {
    const { send } = await sender();
    const consumer = kafka.consumer({ groupId: 'billing' });
    consumer.subscribe({ topics: ['t'] });
    await consumer.run({ eachMessage: async () => undefined });
    await consumerOf('a');
    await move(pointer('a', 2, { mode: 'HOLD', maxMs: 60_000 }));
    const sent = send('0');
    await vi.waitFor(() => expect(told).toEqual(['paused HOLD']));
    await move(pointer('a', 3));
    (await call('a', 0)).ack();
    expect(await sent).toMatchObject({ cluster: 'a', epoch: 3, resent: false });
    await consumerOf('a', 1);
  });

  describe('transactions', () => {
    const message = (value: string) => ({ topic: 't', messages: [{ value }] });

    it('commit within a DRAIN, and the next one waits for the cluster that is active then', async () => {
      const producer = kafka.transactionalProducer({ transactionalId: 'tx' });
      await producer.connect();
      const first = await producer.transaction();
      await first.send(message('1'));
      await move(pointer('a', 2, { mode: 'DRAIN', maxMs: 60_000 }));
      expect(told).toEqual([]);
      await first.commit();
      await vi.waitFor(() => expect(told).toEqual(['paused DRAIN']));
      const second = producer.transaction();
      await move(pointer('b', 3));
      const onB = await second;
      expect(onB.cluster).toBe('b');
      await onB.send(message('2'));
      await onB.commit();
      expect(clusters.a.transactions).toEqual([['1', 'COMMIT']]);
      expect(clusters.b.transactions).toEqual([['2', 'COMMIT']]);
    });

    it('are aborted at a switch, told as a retriable error, and begun anew', async () => {
      const producer = kafka.transactionalProducer({ transactionalId: 'tx' });
      const open = await producer.transaction();
      await open.send(message('1'));
      await expect(producer.transaction()).rejects.toThrow(/open/);
      await move(pointer('b', 2));
      const failure = await open.send(message('2')).catch((e: unknown) => e);
      expect(failure).toBeInstanceOf(TransactionAbortedError);
      expect(failure).toMatchObject({ retriable: true, reason: 'switched', maybeCommitted: false, cluster: 'a' });
      await expect(open.commit()).rejects.toBe(failure);
      const again = await producer.transaction();
      await again.send(message('1'));
      await again.commit();
      expect(clusters.a.transactions).toEqual([['1', 'ABORT']]);
      expect(clusters.b.transactions).toEqual([['1', 'COMMIT']]);
    });

    it('say when a commit was under way at the switch', async () => {
      clusters.a.commitGate = new Promise(() => undefined);
      const producer = kafka.transactionalProducer({ transactionalId: 'tx' });
      const open = await producer.transaction();
      const committing = open.commit().catch((e: unknown) => e);
      await move(pointer('b', 2));
      expect(await committing).toMatchObject({ code: 'TRANSACTION_ABORTED', maybeCommitted: true });
      expect(clusters.a.transactions).toEqual([[]]);
    });

    it('refused by a fence are retriable, on a producer of their own', async () => {
      const producer = kafka.transactionalProducer({ transactionalId: 'tx' });
      const open = await producer.transaction();
      await expect(open.send(message('fenced'))).rejects.toMatchObject({ reason: 'fenced', retriable: true });
      expect(open.isActive()).toBe(false);
      await vi.waitFor(() => expect(clusters.a.transactions).toEqual([['ABORT']]));
      const again = await producer.transaction();
      await again.abort();
      expect(clusters.a.sessions).toBe(2);
    });
  });

  it('warns once of settings that risk records', async () => {
    const warnings: string[] = [];
    kafka.on('warning', (w) => warnings.push(`${w.client}: ${w.setting}=${w.value}`));
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 5, buffer: { maxWaitMs: 5_000 } });
    kafka.consumer({ groupId: 'billing', sessionTimeout: 120_000 });
    kafka.transactionalProducer({ transactionalId: 'tx', transactionTimeout: 900_000 });
    await Promise.resolve();
    expect(warnings).toEqual([
      'producer 1: buffer.maxWaitMs=5000',
      'producer 1: maxInFlightRequests=5',
      'consumer 2 (billing): sessionTimeout=120000',
      'producer 3 (tx): transactionTimeout=900000',
    ]);
    await expect(producer.send({ topic: 't', acks: 1, messages: [{ value: '' }] })).rejects.toThrow(/acks -1/);
  });

  it('begins anew with a fresh producer id when the broker has lost the sequence', async () => {
    const { send } = await sender({ idempotent: true });
    const sent = send('0');
    (await call('a', 0)).fail(Object.assign(new Error('error 45'), { code: 45 }));
    (await call('a', 1)).ack();
    expect(await sent).toMatchObject({ cluster: 'a', resent: true });
    expect(clusters.a.sessions).toBe(2);
  });
});
