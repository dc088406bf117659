import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Message } from 'kafkajs';
import { MemoryConfigCenterServer } from '#testing';
import { AppendingCluster } from './appending-cluster.spec-helper.js';
import type { SwitchingKafka, SwitchingProducer, SwitchingProducerConfig } from './client.types.js';
import { pointerTo } from './scripted-stage.spec-helper.js';
import { createSwitchingKafka } from './switching-kafka.js';

describe('what kafkajs does to a request that fails', () => {
  let a: AppendingCluster;
  let b: AppendingCluster;
  let server: MemoryConfigCenterServer;
  let kafka: SwitchingKafka;

  beforeEach(async () => {
    [a, b] = [new AppendingCluster(), new AppendingCluster()];
    server = new MemoryConfigCenterServer();
    server.overwrite(pointerTo('a', 1));
    kafka = createSwitchingKafka(
      { group: 'orders', pointers: server.open(), clusters: { a: { brokers: [] }, b: { brokers: [] } } },
      (name) => (name === 'a' ? a : b),
    );
    await vi.waitFor(() => expect(kafka.current()?.epoch).toBe(1));
  });
  afterEach(() => kafka.close());

  const start = async (config: SwitchingProducerConfig = {}): Promise<SwitchingProducer> => {
    const producer = kafka.producer(config);
    await producer.connect();
    return producer;
  };
  const to = (partition: number, value: string): Message => ({ partition, value });
  const times = (log: readonly string[], value: string) => log.filter((v) => v === value).length;
  /** Sends that are joined: the first goes out alone, the others wait for it. */
  const joined = (producer: SwitchingProducer, ...messages: Message[][]) =>
    [[to(0, 'first')], ...messages].map((m) => producer.send({ topic: 't', messages: m }));
  /** So many more requests: a partition that refuses its records is asked again and again. */
  const moreRequests = async (count: number) => {
    const before = a.requests.length;
    await vi.waitFor(() => expect(a.requests.length).toBeGreaterThanOrEqual(before + count), 3_000);
  };

  describe.each([{ idempotent: false }, { idempotent: true }])('for one bad partition, $idempotent', (config) => {
    it('writes the records of the healthy ones twice at most', async () => {
      const producer = await start(config);
      a.refusing.set('t-1', 19);
      const [first, bad, healthy] = joined(producer, [to(1, 'bad')], [to(0, 'healthy')]);
      await first;
      expect(await healthy).toMatchObject({ cluster: 'a', resent: true });
      const late = producer.send({ topic: 't', messages: [to(0, 'late')] });
      await moreRequests(3);
      expect(times(a.log('t', 0), 'healthy')).toBeLessThanOrEqual(config.idempotent ? 1 : 2);
      expect(a.log('t', 0)).not.toContain('late'); // what comes later waits: it may be of the same partition
      a.refusing.clear();
      expect(await bad).toMatchObject({ cluster: 'a', metadata: [{ partition: 1, baseOffset: '0' }] });
      await late;
      expect(a.log('t', 1)).toEqual(['bad']);
    });

    it('writes the healthy half of one send twice at most, and settles it when both are written', async () => {
      const producer = await start(config);
      a.refusing.set('t-1', 19);
      const sent = producer.send({ topic: 't', messages: [to(0, 'healthy'), to(1, 'bad')] });
      await moreRequests(4);
      a.refusing.clear();
      expect((await sent).metadata.map((m) => m.partition)).toEqual([0, 1]);
      expect(times(a.log('t', 0), 'healthy')).toBeLessThanOrEqual(config.idempotent ? 1 : 2);
      expect(a.log('t', 1)).toEqual(['bad']);
    });

    it('keeps the order within each partition', async () => {
      const producer = await start(config);
      a.deadRequests = 4;
      const values = Array.from({ length: 20 }, (_, n) => String(n));
      await Promise.all(values.map((v) => producer.send({ topic: 't', messages: [to(Number(v) % 2, v)] })));
      expect([...a.log('t', 0), ...a.log('t', 1)]).toEqual([
        ...values.filter((v) => Number(v) % 2 === 0),
        ...values.filter((v) => Number(v) % 2 === 1),
      ]);
    });
  });

  it('sends everything to the next cluster, joined and in the order of the calls, when the pointer moves', async () => {
    const producer = await start();
    a.refusing.set('t-1', 19);
    const sends = joined(producer, [to(1, '1')], [to(0, '2'), to(1, '3')], [to(1, '4')]);
    await moreRequests(4);
    server.overwrite(pointerTo('b', 2));
    expect((await Promise.all(sends)).map((o) => o.cluster)).toEqual(['a', 'b', 'b', 'b']);
    expect(b.requests).toEqual([['1', '2', '3', '4']]);
  });

  describe('for an idempotent producer that gives a record up', () => {
    const send = (producer: SwitchingProducer, topic: string, value: string) =>
      producer.send({ topic, messages: [to(0, value)] });

    it('takes a fresh producer id, or the broker would take the next record for the one given up', async () => {
      const producer = await start({ idempotent: true, buffer: { maxWaitMs: 300 } });
      a.losing.add('t');
      await expect(send(producer, 't', 'given up')).rejects.toMatchObject({ maybeWritten: true });
      a.losing.clear();
      expect(await send(producer, 't', 'next')).toMatchObject({ cluster: 'a', resent: false });
      expect(a.log('t', 0)).toEqual(['given up', 'next']);
      expect([a.producers.length, a.open]).toEqual([2, 1]);
    });

    it('does so too where the record is in flight at that time', async () => {
      let answer: () => void = () => undefined;
      a.answering = new Promise((resolve) => (answer = resolve));
      a.losing.add('t');
      const producer = await start({ idempotent: true, buffer: { maxWaitMs: 300 } });
      await expect(send(producer, 't', 'given up')).rejects.toMatchObject({ maybeWritten: true });
      expect(a.producers).toHaveLength(1); // it may be answered yet, and then nothing is amiss
      answer();
      await vi.waitFor(() => expect(a.producers).toHaveLength(2));
      a.losing.clear();
      await send(producer, 't', 'next');
      expect(a.log('t', 0)).toEqual(['given up', 'next']);
    });

    it('and leaves to other topics the id by which the broker recognises their records', async () => {
      const producer = await start({ idempotent: true, buffer: { maxWaitMs: 500 } });
      a.losing.add('t').add('other');
      const givenUp = send(producer, 't', 'given up');
      givenUp.catch(() => undefined);
      await moreRequests(3);
      const other = send(producer, 'other', 'once');
      await expect(givenUp).rejects.toMatchObject({ maybeWritten: true });
      a.losing.clear();
      expect(await other).toMatchObject({ resent: true });
      await send(producer, 'other', 'next');
      expect(a.log('other', 0)).toEqual(['once', 'next']);
      expect([a.producers.length, a.open]).toEqual([2, 1]);
    });

    it('goes on with its id where the broker refused the record', async () => {
      const producer = await start({ idempotent: true });
      a.refusing.set('t-0', 87);
      await expect(send(producer, 't', 'refused')).rejects.toThrow('error 87');
      a.refusing.clear();
      await send(producer, 't', 'next');
      expect(a.producers).toHaveLength(1);
    });

    it('still knows that the cluster took the topic before: a DENY is a fence', async () => {
      const producer = await start({ idempotent: true, buffer: { maxWaitMs: 500 } });
      const blocked: string[] = [];
      kafka.on('blocked', ({ reason }) => blocked.push(reason));
      await send(producer, 't', 'taken');
      a.losing.add('t');
      await expect(send(producer, 't', 'given up')).rejects.toMatchObject({ maybeWritten: true });
      a.losing.clear();
      a.refusing.set('t-0', 29);
      await expect(send(producer, 't', 'kept')).rejects.toMatchObject({ code: 'SWITCH_TIMEOUT', maybeWritten: false });
      expect(blocked).toEqual(['unavailable', 'fenced']);
    });
  });

  describe.each([{ idempotent: false }, { idempotent: true }])('for a topic that is away, $idempotent', (config) => {
    const send = (producer: SwitchingProducer, topic: string, value: string) =>
      producer.send({ topic, messages: [to(0, value)] });

    it.each([3, 5, 29, 38, 72])('sends those of the others, and its own when it is back (error %i)', async (code) => {
      const producer = await start(config);
      const others = Array.from({ length: 20 }, (_, n) => `other-${n}`);
      await Promise.all(['away', ...others].map((t) => send(producer, t, 'before')));
      a.unknownTopics.set('away', code);
      const waiting = send(producer, 'away', 'waiting');
      for (let round = 0; round < 3; round++) {
        const sent = await Promise.all(others.map((t) => send(producer, t, String(round))));
        expect(sent.every((o) => o.cluster === 'a')).toBe(true);
      }
      await vi.waitFor(() => expect(a.open).toBe(2)); // the shared one, and one for the topic that is away
      expect(others.map((t) => a.log(t, 0))).toEqual(others.map(() => ['before', '0', '1', '2']));
      a.unknownTopics.clear();
      expect(await waiting).toMatchObject({ cluster: 'a' });
      expect(a.open).toBe(1);
      expect(a.log('away', 0)).toEqual(['before', 'waiting']);
    });

    it.each([3, 29])('knows that what it gives up was not written (error %i)', async (code) => {
      const producer = await start({ ...config, buffer: { maxWaitMs: 300 } });
      await Promise.all(['away', 'other'].map((t) => send(producer, t, 'before')));
      a.unknownTopics.set('away', code);
      const waiting = send(producer, 'away', 'given up').catch((e: unknown) => e);
      await send(producer, 'other', 'sent');
      expect(await waiting).toMatchObject({ code: 'SWITCH_TIMEOUT', maybeWritten: false });
    });

    it.each([3, 29])('finds it when another topic is the first to suffer (error %i)', async (code) => {
      const producer = await start(config);
      await Promise.all(['away', 'other'].map((t) => send(producer, t, 'before')));
      a.unknownTopics.set('away', code);
      await send(producer, 'other', '1'); // on its own
      await send(producer, 'other', '2'); // shared again, with nobody who knows of the topic that is away
      expect(a.open).toBe(1);
      const waiting = send(producer, 'away', '3');
      await vi.waitFor(() => expect(a.open).toBe(2));
      await send(producer, 'other', '4');
      server.overwrite(pointerTo('b', 2));
      expect(await waiting).toMatchObject({ cluster: 'b' });
      await vi.waitFor(() => expect([a.open, b.open]).toEqual([0, 1]));
    });

    it.each([17, 29])('refuses its sends where it never took one, and no other topic (error %i)', async (code) => {
      const producer = await start(config);
      await send(producer, 'known', 'before');
      a.unknownTopics.set('refused', code);
      const refused = send(producer, 'refused', 'no').catch((e: unknown) => e);
      const others = ['known', 'new'].map((t) => send(producer, t, 'yes'));
      expect((await Promise.all(others)).map((o) => o.cluster)).toEqual(['a', 'a']);
      expect(await refused).toMatchObject({ message: `error ${code}`, code });
      await expect(send(producer, 'refused', 'no')).rejects.toThrow(`error ${code}`);
      expect([a.log('known', 0), a.log('new', 0), a.log('refused', 0)]).toEqual([['before', 'yes'], ['yes'], []]);
    });

    it('finds it where a connection was lost, and a record may be written', async () => {
      let answer: () => void = () => undefined;
      const producer = await start(config);
      await Promise.all(['away', 'other'].map((t) => send(producer, t, 'before')));
      a.answering = new Promise((resolve) => (answer = resolve));
      a.losing.add('other');
      const other = send(producer, 'other', 'written');
      await vi.waitFor(() => expect(a.log('other', 0)).toEqual(['before', 'written']));
      a.unknownTopics.set('away', 29);
      answer();
      await moreRequests(1);
      a.losing.clear();
      expect(await other).toMatchObject({ cluster: 'a', resent: true });
    });
  });

  it('takes error 29 of the only topic for what it is, on the connection that there is', async () => {
    const producer = await start();
    a.unknownTopics.set('t', 29);
    await expect(producer.send({ topic: 't', messages: [to(0, 'no')] })).rejects.toThrow('error 29');
    expect([a.producers.length, a.requests.length]).toEqual([1, 1]);
  });

  it.each([5, 29])('opens no more than a few producers where nearly every topic is away (error %i)', async (code) => {
    const producer = await start();
    const send = (topic: string) => producer.send({ topic, messages: [to(0, 'kept')] });
    const topics = Array.from({ length: 100 }, (_, n) => `t${n}`);
    await Promise.all(topics.map(send));
    for (const topic of topics) a.unknownTopics.set(topic, code);
    const sends = topics.map(send);
    await vi.waitFor(() => expect(a.open).toBe(17)); // as many as go alone, and the shared one
    sends.push(send('new')); // nobody knows yet that the cluster takes it
    await moreRequests(400);
    expect(a.open).toBeLessThanOrEqual(17);
    a.unknownTopics.clear();
    expect((await Promise.all(sends)).every((sent) => sent.cluster === 'a')).toBe(true);
    expect(a.open).toBe(1);
  });
});
