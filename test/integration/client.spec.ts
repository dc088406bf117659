import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SendOutcome, SwitchingEvents } from '#client';
import { waitFor } from '#lab';
import { startOrders } from './client-example.js';
import { ClientBench, delay } from './client-lab.js';

/** Order matters: the cluster a dies in the middle and stays dead. Groups and topics are each test's own. */
describe('the client on two real clusters', () => {
  let bench: ClientBench;
  const scratch = mkdtempSync(join(tmpdir(), 'pointsman-client-'));

  beforeAll(async () => {
    bench = await ClientBench.start();
  });
  afterAll(async () => {
    await bench?.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('sends and reads, and each outcome says where its record lies', async () => {
    await bench.publish('plain', 'a', 1);
    await bench.lab.createTopic('a', { name: 'plain', partitions: 3 });
    const kafka = bench.client('plain');
    const producer = kafka.producer();
    const consumer = kafka.consumer({ groupId: 'plain-reader' });
    const seen: string[] = [];
    consumer.subscribe({ topics: ['plain'] });
    await consumer.run({
      eachMessage: async ({ message, cluster, epoch }) => {
        seen.push(`${String(message.value)} ${cluster} ${epoch}`);
      },
    });
    const sends = Array.from({ length: 200 }, (_, i) =>
      producer.send({ topic: 'plain', messages: [{ key: `k${i % 7}`, value: `v${i}` }] }),
    );
    const outcomes = await Promise.all(sends);
    expect(outcomes.every((o) => o.cluster === 'a' && o.epoch === 1 && !o.resent)).toBe(true);
    const places = new Map((await bench.readAll('a', 'plain')).map((r) => [`${r.partition} ${r.offset}`, r]));
    outcomes.forEach((o, i) => {
      expect(o.metadata).toHaveLength(1);
      const { partition, baseOffset } = o.metadata[0]!;
      expect(places.get(`${partition} ${baseOffset}`)).toMatchObject({ key: `k${i % 7}`, value: `v${i}` });
    });
    await vi.waitFor(() => expect(new Set(seen).size).toBe(200), 10_000);
    expect(seen).toContain('v0 a 1');
    await kafka.close();
  });

  it('rejects a record that is truly too large at once, and only that one', async () => {
    await bench.publish('oversized', 'a', 1);
    await bench.lab.createTopic('a', { name: 'oversized', partitions: 1, configs: { 'max.message.bytes': '2000' } });
    const producer = bench.client('oversized').producer();
    const send = (value: string) => producer.send({ topic: 'oversized', messages: [{ key: 'k', value }] });
    await send('first');
    const startedAt = performance.now();
    const results = await Promise.allSettled([send('before'), send('x'.repeat(3_000)), send('after')]);
    expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    expect((await bench.readAll('a', 'oversized')).map((r) => r.value)).toEqual(['first', 'before', 'after']);
    await producer.disconnect();
  });

  it('keeps what a fenced cluster refuses and sends it to the next one, in order', async () => {
    await bench.publish('fenced', 'a', 1);
    for (const cluster of ['a', 'b'] as const) await bench.lab.createTopic(cluster, { name: 'fenced', partitions: 1 });
    const kafka = bench.client('fenced', { warmStandby: true });
    const blocked: SwitchingEvents['blocked'][] = [];
    kafka.on('blocked', (e) => blocked.push(e));
    const producer = kafka.producer();
    const send = (value: string) => producer.send({ topic: 'fenced', messages: [{ value }] });
    expect(await send('0')).toMatchObject({ cluster: 'a', epoch: 1 });
    await bench.setMaxMessageBytes('a', 'fenced', 1);
    const sends = Array.from({ length: 50 }, (_, i) => send(String(i + 1)));
    await vi.waitFor(() => expect(blocked.map((b) => b.reason)).toEqual(['fenced']), 5_000);
    expect(producer.pending().records).toBe(50);
    await bench.publish('fenced', 'b', 2);
    const outcomes = await Promise.all(sends);
    expect(outcomes.every((o) => o.cluster === 'b' && o.epoch === 2)).toBe(true);
    expect(producer.pending()).toEqual({ records: 0, bytes: 0 });
    expect((await bench.readAll('b', 'fenced')).map((r) => Number(r.value))).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    await kafka.close();
  });

  it('starts cold from its state file while the config center is down, and follows it again when it is back', async () => {
    const stateFile = join(scratch, 'pointer.json');
    await bench.publish('cold', 'a', 1);
    for (const cluster of ['a', 'b'] as const) await bench.lab.createTopic(cluster, { name: 'cold', partitions: 1 });
    const warm = bench.client('cold', { stateFile });
    await vi.waitFor(() => expect(warm.current()?.epoch).toBe(1), 5_000);
    await warm.close();
    expect(JSON.parse(readFileSync(stateFile, 'utf8'))).toMatchObject({ epoch: 1, activeCluster: 'a' });

    await bench.lab.kill({ postgres: true });
    const kafka = bench.client('cold', { stateFile, staleAfterMs: 500 });
    const stale = vi.fn();
    kafka.on('stale', stale);
    expect(kafka.current()?.epoch).toBe(1);
    const producer = kafka.producer();
    const send = (value: string) => producer.send({ topic: 'cold', messages: [{ value }] });
    expect(await send('down')).toMatchObject({ cluster: 'a', epoch: 1 });
    await vi.waitFor(() => expect(stale).toHaveBeenCalledTimes(1), 5_000);

    await bench.lab.start({ postgres: true });
    await waitFor('the publication', () => bench.publish('cold', 'b', 2), { timeoutMs: 10_000 });
    await vi.waitFor(() => expect(kafka.current()?.epoch).toBe(2), 5_000);
    expect(await send('up')).toMatchObject({ cluster: 'b', epoch: 2 });
    await kafka.close();
  });

  it('runs the service of docs/clients.md over a switch', async () => {
    await bench.publish('orders', 'a', 1);
    for (const cluster of ['a', 'b'] as const) await bench.lab.createTopic(cluster, { name: 'orders', partitions: 1 });
    const booked: string[] = [];
    const centerUrl = await bench.lab.postgresUrl('a');
    const brokers = { a: bench.lab.bootstrapServers('a', 'c'), b: bench.lab.bootstrapServers('b', 'c') };
    const site = { centerUrl, brokers, stateFile: join(scratch, 'example.json') };
    const service = await startOrders(site, (id) => booked.push(id));
    expect(await service.place('1', 'tea')).toBe('placed');
    await vi.waitFor(() => expect(booked).toEqual(['1']), 10_000);
    await bench.publish('orders', 'b', 2);
    await vi.waitFor(() => expect(service.kafka.current()?.epoch).toBe(2), 5_000);
    expect(await service.place('2', 'milk')).toBe('placed');
    await vi.waitFor(() => expect(booked).toEqual(['1', '2']), 10_000);
    await service.stop();
  });

  it('does not wait for a frozen cluster, and sends nothing twice that it knows of when that one thaws', async () => {
    await bench.publish('frozen', 'a', 1);
    for (const cluster of ['a', 'b'] as const) await bench.lab.createTopic(cluster, { name: 'frozen', partitions: 1 });
    const kafka = bench.client('frozen');
    const producer = kafka.producer();
    const consumer = kafka.consumer({ groupId: 'frozen-reader' });
    const seen: string[] = [];
    consumer.subscribe({ topics: ['frozen'] });
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) });
    const send = (value: string) => producer.send({ topic: 'frozen', messages: [{ value }] });
    await send('0');
    await vi.waitFor(() => expect(seen).toEqual(['0']), 10_000);
    await bench.lab.freeze({ cluster: 'a' });
    const sends = ['1', '2', '3'].map(send);
    await waitFor('a request without an answer', () => (producer.pending().records === 3 ? true : undefined), {
      timeoutMs: 10_000,
    });
    const publishedAt = performance.now();
    await bench.publish('frozen', 'b', 2);
    const outcomes = await Promise.all(sends);
    expect(performance.now() - publishedAt).toBeLessThan(15_000);
    expect(outcomes.map((o) => [o.cluster, o.resent])).toEqual([
      ['b', true],
      ['b', false],
      ['b', false],
    ]);
    await vi.waitFor(() => expect(seen).toEqual(['0', '1', '2', '3']), 10_000);
    await bench.lab.thaw({ cluster: 'a' });
    expect((await bench.readAll('b', 'frozen')).map((r) => r.value)).toEqual(['1', '2', '3']);
    expect(await send('4')).toMatchObject({ cluster: 'b', resent: false });
    await kafka.close();
  });

  it('goes on at b when a is killed: nothing replicated is lost, each send ends once, consumers read on', async () => {
    const topic = 'trades';
    await bench.publish('trades', 'a', 1);
    await bench.lab.createTopic('a', { name: topic, partitions: 3 });
    await bench.lab.createFlow({ from: 'a', to: 'b', topics: [topic], consumerGroups: ['billing'], state: 'RUNNING' });
    const kafka = bench.client('trades', { warmStandby: true });
    const events: string[] = [];
    for (const e of ['switching', 'switched'] as const) kafka.on(e, () => events.push(e));
    const consumed = new Map<string, string>(); // value → cluster that it first came from
    let lateFromA = 0;
    const consumer = kafka.consumer({ groupId: 'billing' });
    consumer.subscribe({ topics: [topic] });
    await consumer.run({
      eachMessage: async ({ message, cluster }) => {
        if (cluster === 'a' && events.length > 0) lateFromA++;
        if (!consumed.has(String(message.value))) consumed.set(String(message.value), cluster);
      },
    });

    const producer = kafka.producer();
    const outcomes = new Map<number, SendOutcome | Error>();
    let settledTwice = 0;
    let [next, producing] = [0, true];
    const load = (async () => {
      while (producing) {
        for (let i = 0; i < 5; i++) {
          const n = next++;
          producer.send({ topic, messages: [{ key: `k${n % 5}`, value: String(n) }] }).then(
            (o) => (outcomes.has(n) ? settledTwice++ : outcomes.set(n, o)),
            (e: Error) => (outcomes.has(n) ? settledTwice++ : outcomes.set(n, e)),
          );
        }
        await delay(10);
      }
    })();
    await waitFor(
      'MM2 carries records',
      async () => ((await bench.readAll('b', topic)).length > 300 ? true : undefined),
      { timeoutMs: 40_000 },
    );
    const replicated = new Set((await bench.readAll('b', topic)).map((r) => r.value));
    await bench.lab.kill({ cluster: 'a' });
    const sentAtKill = next;
    await waitFor('sends without an answer', () => (producer.pending().records > 100 ? true : undefined), {
      timeoutMs: 10_000,
    });
    const publishedAt = performance.now();
    await bench.publish('trades', 'b', 2);
    await waitFor(
      'an acknowledgement of b',
      () => ([...outcomes.values()].some((o) => 'cluster' in o && o.cluster === 'b') ? true : undefined),
      { timeoutMs: 10_000, pollMs: 5 },
    );
    const producerGapMs = performance.now() - publishedAt;
    await waitFor('records read from b', () => ([...consumed.values()].includes('b') ? true : undefined), {
      timeoutMs: 20_000,
    });
    const consumerGapMs = performance.now() - publishedAt;
    await delay(500);
    producing = false;
    await load;
    await waitFor('all settled', () => (outcomes.size === next ? true : undefined), { timeoutMs: 10_000 });

    expect(settledTwice).toBe(0);
    expect([...outcomes.values()].filter((o) => o instanceof Error)).toEqual([]);
    expect(events).toEqual(['switching', 'switched']);
    expect(lateFromA).toBe(0);
    const onB = await bench.readAll('b', topic);
    const values = new Set(onB.map((r) => r.value));
    expect([...replicated].filter((v) => !values.has(v))).toEqual([]); // I33
    const places = new Map(onB.map((r) => [`${r.partition} ${r.offset}`, r.value]));
    for (const [n, o] of outcomes) {
      if (!('cluster' in o) || o.cluster !== 'b') continue;
      const { partition, baseOffset } = o.metadata[0]!;
      expect(places.get(`${partition} ${baseOffset}`)).toBe(String(n));
    }
    for (let n = sentAtKill; n < next; n++) expect(outcomes.get(n)).toMatchObject({ cluster: 'b', epoch: 2 });
    // Each key in the order of the calls, by first occurrence; what only a acknowledged may be missing.
    for (let k = 0; k < 5; k++) {
      const first = [...new Set(onB.filter((r) => r.key === `k${k}`).map((r) => Number(r.value)))];
      expect(first).toEqual(first.toSorted((x, y) => x - y));
    }
    await waitFor('all of b consumed', () => ([...values].every((v) => consumed.has(v)) ? true : undefined), {
      timeoutMs: 10_000,
    });
    const copies = onB.length - values.size;
    const resent = [...outcomes.values()].filter((o) => 'cluster' in o && o.resent).length;
    expect(copies).toBeLessThanOrEqual(resent);
    expect(producerGapMs).toBeLessThan(15_000); // measured 74 ms
    expect(consumerGapMs).toBeLessThan(20_000); // measured 126 ms; a busy machine and a rebalance on top
    await kafka.close();
  });

  it('ends a wait with the right error: too many, too long, closed', async () => {
    await bench.publish('dead', 'a', 1); // a is dead since the test before
    const kafka = bench.client('dead');
    const producer = kafka.producer({ buffer: { maxRecords: 3, maxBytes: 1_000, maxWaitMs: 1_000 } });
    const send = (value: string) => producer.send({ topic: 'orders', messages: [{ value }] });
    const startedAt = performance.now();
    const results = await Promise.allSettled([send('1'), send('2'), send('x'.repeat(2_000)), send('3'), send('4')]);
    const waitedMs = performance.now() - startedAt;
    const errors = results.map((r) => (r.status === 'rejected' ? (r.reason as { code?: string }).code : 'none'));
    expect(errors).toEqual(['SWITCH_TIMEOUT', 'SWITCH_TIMEOUT', 'BUFFER_FULL', 'SWITCH_TIMEOUT', 'BUFFER_FULL']);
    expect(waitedMs).toBeGreaterThan(950);
    expect(waitedMs).toBeLessThan(20_000);
    const closing = send('5');
    closing.catch(() => undefined);
    await producer.disconnect(50);
    await expect(closing).rejects.toMatchObject({ code: 'SWITCH_TIMEOUT', reason: 'closed', maybeWritten: false });
    await expect(send('6')).rejects.toMatchObject({ reason: 'closed' });
    await kafka.close();
  });
});
