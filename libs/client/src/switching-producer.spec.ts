import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KafkaConfig, ProducerConfig, ProducerRecord, RecordMetadata } from 'kafkajs';
import type { Pointer } from '#config-center';
import { MemoryConfigCenterServer } from '#testing';
import type { SwitchingEvents, SwitchingKafka, SwitchingProducerConfig } from './client.types.js';
import type { ClusterPort, ConsumerPort, ProducerPort } from './cluster.port.js';
import { pointerTo } from './scripted-stage.spec-helper.js';
import { createSwitchingKafka } from './switching-kafka.js';

type Call = Readonly<{ values: string[]; ack(): void; fail(e: Error): void }>;

/** A cluster whose every answer is given by the test: orders that a real one cannot be told to do. */
class ScriptedCluster implements ClusterPort {
  readonly calls: Call[] = [];
  maxBytes: number | Error = 1_048_588;
  connects = 0;
  gate: Promise<void> = Promise.resolve(); // connect waits for it
  private end = 0;

  producer(config: ProducerConfig): ProducerPort {
    const choose = config.createPartitioner?.();
    return {
      connect: async () => {
        this.connects++;
        await this.gate;
      },
      disconnect: async () => undefined,
      transaction: () => Promise.reject(new Error('no transactions in these tests')),
      send: (record: ProducerRecord) =>
        new Promise<RecordMetadata[]>((resolve, reject) => {
          for (const message of record.messages) choose?.({ topic: record.topic, message, partitionMetadata });
          const values = record.messages.map((m) => String(m.value));
          const baseOffset = String(this.end);
          this.calls.push({
            values,
            fail: reject,
            ack: () => resolve([{ topicName: record.topic, partition: 0, errorCode: 0, baseOffset }]),
          });
          this.end += values.length;
        }),
    };
  }

  consumer(): ConsumerPort {
    throw new Error('no consumer in these tests');
  }

  async maxMessageBytes(): Promise<number> {
    if (this.maxBytes instanceof Error) throw this.maxBytes;
    return this.maxBytes;
  }
}

const partitionMetadata = [
  { partitionErrorCode: 0, partitionId: 0, leader: 1, replicas: [1], isr: [1], offlineReplicas: [] },
];
const brokerError = (code: number) => Object.assign(new Error(`error ${code}`), { code });
const connectionLost = () => Object.assign(new Error('connection lost'), { name: 'KafkaJSConnectionError' });

describe('the switching producer, with every order of answers', () => {
  let server: MemoryConfigCenterServer;
  let clusters: Record<'a' | 'b', ScriptedCluster>;
  let kafka: SwitchingKafka;
  let blocked: SwitchingEvents['blocked'][];

  const move = async (p: Pointer) => {
    server.overwrite(p);
    await vi.waitFor(() => expect(kafka.current()).toEqual(p));
  };
  const start = async (config: SwitchingProducerConfig = {}) => {
    const producer = kafka.producer(config);
    await producer.connect();
    return { producer, send: (value: string) => producer.send({ topic: 't', messages: [{ value }] }) };
  };
  const call = async (cluster: 'a' | 'b', n: number): Promise<Call> =>
    vi.waitFor(() => {
      const found = clusters[cluster].calls[n];
      if (found === undefined) throw new Error(`no call ${n} on ${cluster}`);
      return found;
    }, 3_000);

  beforeEach(async () => {
    server = new MemoryConfigCenterServer();
    clusters = { a: new ScriptedCluster(), b: new ScriptedCluster() };
    server.overwrite(pointerTo('a', 1));
    const none: KafkaConfig = { brokers: [] };
    kafka = createSwitchingKafka(
      { group: 'orders', pointers: server.open(), clusters: { a: none, b: none } },
      (name) => clusters[name as 'a' | 'b'],
    );
    blocked = [];
    kafka.on('blocked', (e) => blocked.push(e));
    await vi.waitFor(() => expect(kafka.current()?.epoch).toBe(1));
  });
  afterEach(async () => kafka.close());

  it('has one request in flight, joins what waits, and tells each send its own offset', async () => {
    const { send } = await start();
    const sends = ['0', '1', '2'].map(send);
    (await call('a', 0)).ack();
    const second = await call('a', 1);
    expect(second.values).toEqual(['1', '2']);
    second.ack();
    const outcomes = await Promise.all(sends);
    expect(outcomes.map((o) => o.metadata[0]?.baseOffset)).toEqual(['0', '1', '2']);
    expect(outcomes.every((o) => o.cluster === 'a' && !o.resent)).toBe(true);
  });

  it('sends unanswered records again, first and in order; the new cluster answers for them', async () => {
    const { send } = await start();
    const sends = ['0', '1', '2'].map(send);
    const lost = await call('a', 0);
    await move(pointerTo('b', 2));
    const again = await call('b', 0);
    expect(again.values).toEqual(['0', '1', '2']);
    lost.ack(); // too late: it is on its way to b
    again.ack();
    const outcomes = await Promise.all(sends);
    expect(outcomes.map((o) => [o.cluster, o.epoch, o.resent])).toEqual([
      ['b', 2, true],
      ['b', 2, false],
      ['b', 2, false],
    ]);
  });

  it('does not send again what the old cluster acknowledges before the new one is reached', async () => {
    let reach: () => void = () => undefined;
    clusters.b.gate = new Promise((resolve) => (reach = resolve));
    const { send } = await start();
    const [first, second] = [send('0'), send('1')];
    const slow = await call('a', 0);
    await move(pointerTo('b', 2));
    slow.ack();
    expect(await first).toMatchObject({ cluster: 'a', epoch: 1, resent: false });
    reach();
    const onB = await call('b', 0);
    expect(onB.values).toEqual(['1']);
    onB.ack();
    expect(await second).toMatchObject({ cluster: 'b', epoch: 2, resent: false });
  });

  it('counts the late acknowledgement when the new cluster never answers', async () => {
    const { send } = await start({ buffer: { maxWaitMs: 300 } });
    const sent = send('0');
    const slow = await call('a', 0);
    await move(pointerTo('b', 2));
    await call('b', 0);
    slow.ack();
    expect(await sent).toMatchObject({ cluster: 'a', epoch: 1, resent: true });
  });

  it('tries again on the same cluster after a lost connection, and says that a duplicate is possible', async () => {
    const { send } = await start();
    const sent = send('0');
    (await call('a', 0)).fail(connectionLost());
    (await call('a', 1)).ack();
    expect(await sent).toMatchObject({ cluster: 'a', resent: true });
    expect(blocked.map((b) => b.reason)).toEqual(['unavailable']);
  });

  it('takes a higher epoch of the same cluster without a new connection', async () => {
    const { send } = await start();
    await move(pointerTo('a', 5, { term: 2 }));
    const sent = send('0');
    (await call('a', 0)).ack();
    expect(await sent).toMatchObject({ cluster: 'a', epoch: 5 });
    expect(clusters.a.connects).toBe(1);
  });

  it('keeps a record refused with 29 if the permission was there before, else rejects it', async () => {
    const { send } = await start();
    const never = send('0');
    (await call('a', 0)).fail(brokerError(29));
    await expect(never).rejects.toThrow('error 29');
    const granted = send('1');
    (await call('a', 1)).ack();
    await granted;
    const fenced = send('2');
    (await call('a', 2)).fail(brokerError(29));
    await vi.waitFor(() => expect(blocked.map((b) => b.reason)).toEqual(['fenced']));
    await move(pointerTo('b', 2));
    (await call('b', 0)).ack();
    expect((await fenced).cluster).toBe('b');
  });

  it('keeps a record refused with 29 while nobody can confirm the pointer', async () => {
    const { send } = await start();
    server.stop();
    const sent = send('0');
    (await call('a', 0)).fail(brokerError(29));
    await vi.waitFor(() => expect(blocked.map((b) => b.reason)).toEqual(['fenced']));
    server.start();
    await move(pointerTo('b', 2));
    (await call('b', 0)).ack();
    expect((await sent).cluster).toBe('b');
  });

  it('judges error 10 by size where the topic does not tell its limit', async () => {
    clusters.a.maxBytes = new Error('not authorized to describe');
    const { send } = await start();
    const large = send('x'.repeat(2_000_000));
    (await call('a', 0)).fail(brokerError(10));
    await expect(large).rejects.toThrow('error 10');
    const small = send('0');
    (await call('a', 1)).fail(brokerError(10));
    await vi.waitFor(() => expect(blocked.map((b) => b.reason)).toEqual(['fenced']));
    await move(pointerTo('b', 2));
    (await call('b', 0)).ack();
    expect((await small).cluster).toBe('b');
  });

  it('finds the one bad record of a joined request, and lets its neighbours pass', async () => {
    const { send } = await start();
    const sends = ['0', '1', 'bad', '3'].map(send);
    const settled = Promise.allSettled(sends);
    for (let n = 0; clusters.a.calls.filter((c) => c.values.length === 1).length < 4; n++) {
      const c = await call('a', n);
      if (c.values.includes('bad')) c.fail(brokerError(87));
      else c.ack();
    }
    expect((await settled).map((r) => r.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  });

  it('gives up after three times on an error that nobody understands', async () => {
    const { send } = await start();
    const sent = send('0');
    for (let n = 0; n < 3; n++) (await call('a', n)).fail(new TypeError('a bug'));
    await expect(sent).rejects.toThrow('a bug');
  });

  it('keeps the pointer and tells when an epoch comes twice with different content, or with a lower term', async () => {
    await move(pointerTo('a', 5, { term: 3 }));
    server.overwrite(pointerTo('b', 5, { term: 3 }));
    await vi.waitFor(() => expect(blocked.map((b) => b.reason)).toEqual(['foreign-content']));
    server.overwrite(pointerTo('b', 6, { term: 2 }));
    await vi.waitFor(() => expect(blocked.map((b) => b.reason)).toEqual(['foreign-content', 'term-went-back']));
    server.overwrite(pointerTo('b', 4, { term: 3 }));
    await move(pointerTo('b', 7, { term: 3 }));
    expect(blocked).toHaveLength(2);
  });

  it('waits while the pointer names a cluster that it does not know', async () => {
    const { producer, send } = await start();
    await move(pointerTo('z', 2));
    expect(blocked.map((b) => b.reason)).toEqual(['unknown-cluster']);
    const sent = send('0');
    expect(producer.pending().records).toBe(1);
    await move(pointerTo('b', 3));
    (await call('b', 0)).ack();
    expect(await sent).toMatchObject({ cluster: 'b', epoch: 3 });
    expect(clusters.a.calls).toHaveLength(0);
  });

  it('refuses what it cannot keep', async () => {
    expect(() => kafka.producer({ transactionalId: 'x' } as SwitchingProducerConfig)).toThrow(/transactionalProducer/);
    const { producer } = await start();
    await expect(producer.send({ topic: 't', messages: [] })).rejects.toThrow(/empty/);
    await expect(producer.send({ topic: 't', acks: 0 as 1, messages: [{ value: '' }] })).rejects.toThrow(/acks 0/);
  });
});
