import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TransactionAbortedError } from '#client';
import type { SendOutcome, SwitchingKafka } from '#client';
import type { Pointer } from '#config-center';
import { ClientBench } from './client-lab.js';

const PARTITIONS = 20;

/** What a planned switch asks of clients, on real clusters: quiet, nothing twice, nothing lost. No copying in between. */
describe('DRAIN, HOLD and transactions on two real clusters', () => {
  let bench: ClientBench;

  beforeAll(async () => {
    bench = await ClientBench.start();
  });
  afterAll(async () => bench?.close());

  const tell = async (group: string, p: Pointer, more: Partial<Pointer>): Promise<Pointer> => {
    const pointer: Pointer = { ...p, ...more, epoch: p.epoch + 1, publishedAt: new Date().toISOString() };
    const result = await bench.center.publish(pointer, { expectedEpoch: p.epoch, term: 1 });
    if (!result.ok) throw new Error(`publish for ${group}: ${result.reason}`);
    return pointer;
  };
  const paused = (kafka: SwitchingKafka, mode: string): Promise<void> =>
    new Promise((resolve) => {
      const off = kafka.on('paused', ({ pointer }) => {
        if (pointer.mode !== mode) return;
        off();
        resolve();
      });
    });
  const begin = async (group: string): Promise<Readonly<{ kafka: SwitchingKafka; first: Pointer }>> => {
    const first = await bench.publish(group, 'a', 1);
    for (const cluster of ['a', 'b'] as const)
      await bench.lab.createTopic(cluster, { name: group, partitions: PARTITIONS });
    return { kafka: bench.client(group, { rejoinJitterMs: 1 }), first };
  };
  const both = async (topic: string): Promise<string[]> => {
    const [a, b] = [await bench.readAll('a', topic), await bench.readAll('b', topic)];
    return [...a, ...b].map((r) => r.key).toSorted();
  };

  it('moves a loaded idempotent producer and its consumer: each record once, each group empty before the switch', async () => {
    const { kafka, first } = await begin('modes');
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    const consumer = kafka.consumer({ groupId: 'modes-reader' });
    const read: string[] = [];
    consumer.subscribe({ topics: ['modes'] });
    await consumer.run({
      eachMessage: async ({ message, cluster }) => void read.push(`${cluster} ${String(message.key)}`),
    });
    const sends: Promise<SendOutcome>[] = [];
    const timer = setInterval(() => {
      for (let i = 0; i < 20; i++) {
        const key = `k${sends.length}`;
        sends.push(producer.send({ topic: 'modes', messages: [{ key, value: key }] }));
      }
    }, 10);
    await vi.waitFor(() => expect(read.length).toBeGreaterThan(500), 30_000);
    const drained = paused(kafka, 'DRAIN');
    const drain = await tell('modes', first, { mode: 'DRAIN', maxMs: 60_000 });
    await drained;
    const held = paused(kafka, 'HOLD');
    const hold = await tell('modes', drain, { mode: 'HOLD', maxMs: 60_000 });
    await held;
    const admin = bench.lab.kafka('a').admin();
    await admin.connect();
    const { groups } = await admin.describeGroups(['modes-reader']);
    expect(groups[0]?.state).toBe('Empty');
    const committed = (await admin.fetchOffsets({ groupId: 'modes-reader', topics: ['modes'] }))[0]?.partitions ?? [];
    await admin.disconnect();
    const handled = new Set(read.filter((r) => r.startsWith('a ')));
    const commits = committed.reduce((sum, p) => sum + Math.max(0, Number(p.offset)), 0);
    expect(commits).toBe(handled.size);
    await vi.waitFor(async () =>
      expect((await bench.center.adoptions('modes')).map((r) => r.state).toSorted()).toEqual(['drained', 'held']),
    );
    await tell('modes', hold, { mode: 'ACTIVE', activeCluster: 'b' });
    await vi.waitFor(() => expect(read.some((r) => r.startsWith('b '))).toBe(true), 30_000);
    clearInterval(timer);
    const outcomes = await Promise.all(sends);
    expect(outcomes.every((o) => !o.resent)).toBe(true);
    expect(await both('modes')).toEqual(sends.map((_, i) => `k${i}`).toSorted());
    await kafka.close();
    expect(await bench.center.adoptions('modes')).toEqual([]);
  });

  it('commits of a batch that was broken off for a HOLD what its handler had resolved, and no more', async () => {
    const { kafka, first } = await begin('batch');
    const producer = kafka.producer();
    const messages = Array.from({ length: 50 }, (_, i) => ({ value: String(i), partition: 0 }));
    await producer.send({ topic: 'batch', messages });
    const consumer = kafka.consumer({ groupId: 'batch-reader' });
    consumer.subscribe({ topics: ['batch'] });
    let resolved = 0;
    let reached: () => void = () => undefined;
    const atWork = new Promise<void>((resolve) => (reached = resolve));
    await consumer.run({
      eachBatch: async (given) => {
        for (const { offset } of given.batch.messages) {
          if (resolved === 5) {
            reached();
            await vi.waitFor(() => expect(given.isRunning()).toBe(false), 30_000);
            return;
          }
          given.resolveOffset(offset);
          resolved += 1;
        }
      },
    });
    await atWork;
    const held = paused(kafka, 'HOLD');
    await tell('batch', first, { mode: 'HOLD', maxMs: 60_000 });
    await held;
    const admin = bench.lab.kafka('a').admin();
    await admin.connect();
    const [committed] = await admin.fetchOffsets({ groupId: 'batch-reader', topics: ['batch'] });
    await admin.disconnect();
    expect(committed?.partitions.find((p) => p.partition === 0)?.offset).toBe('5');
    await kafka.close();
  });

  it('ends by itself after maxMs, on the same cluster', async () => {
    const { kafka, first } = await begin('alone');
    const producer = kafka.producer();
    await producer.send({ topic: 'alone', messages: [{ value: '0' }] });
    const held = paused(kafka, 'HOLD');
    await tell('alone', first, { mode: 'HOLD', maxMs: 1_500 });
    await held;
    expect(await producer.send({ topic: 'alone', messages: [{ value: '1' }] })).toMatchObject({
      cluster: 'a',
      epoch: 2,
    });
    expect(kafka.mode()).toBe('ACTIVE');
    await kafka.close();
  });

  it('aborts the open transaction at a switch and begins anew: its records are readable once', async () => {
    const { kafka, first } = await begin('tx');
    const producer = kafka.transactionalProducer({ transactionalId: 'tx-1', transactionTimeout: 30_000 });
    const one = (key: string) => ({ topic: 'tx', messages: [{ key, value: key }] });
    for (let i = 0; i < 5; i++) {
      const done = await producer.transaction();
      await done.send(one(`done-${i}`));
      await done.commit();
    }
    const open = await producer.transaction();
    await open.send(one('again'));
    await tell('tx', first, { activeCluster: 'b' });
    await vi.waitFor(() => expect(open.isActive()).toBe(false), 10_000);
    const failure = await open.commit().catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(TransactionAbortedError);
    expect(failure).toMatchObject({ retriable: true, maybeCommitted: false });
    const again = await producer.transaction();
    expect(again.cluster).toBe('b');
    await again.send(one('again'));
    await again.commit();
    const settled = await producer.transaction(); // a marker at the end of the log is not waited for by readAll
    await settled.abort();
    await kafka.close();
    const consumer = bench.lab.kafka('b').consumer({ groupId: 'tx-check', maxWaitTimeInMs: 200 });
    const seen: string[] = [];
    await consumer.connect();
    await consumer.subscribe({ topics: ['tx'], fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.key)) });
    await vi.waitFor(() => expect(seen).toEqual(['again']), 30_000);
    await consumer.disconnect();
  });
});
