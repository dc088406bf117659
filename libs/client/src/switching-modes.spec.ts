import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pointerTo, ScriptedBatch, ScriptedStage, type ScriptedConsumer } from './scripted-stage.spec-helper.js';

describe('DRAIN and HOLD', () => {
  let stage: ScriptedStage;
  beforeEach(async () => {
    stage = await ScriptedStage.start();
  });
  afterEach(() => stage.kafka.close());

  it('DRAIN waits for what is in flight, keeps what was never sent, and sends it to the next cluster', async () => {
    const { producer, send } = await stage.sender();
    const sends = ['0', '1', '2'].map(send);
    const inFlight = await stage.call('a', 0);
    await stage.move(pointerTo('a', 2, { mode: 'DRAIN', maxMs: 60_000 }));
    const late = send('3');
    expect(stage.told).toEqual([]);
    inFlight.ack();
    expect(await sends[0]).toMatchObject({ cluster: 'a', epoch: 2, resent: false });
    await vi.waitFor(() => expect(stage.told).toEqual(['paused DRAIN']));
    expect(producer.pending().records).toBe(3);
    expect(stage.clusters.a.calls).toHaveLength(1);
    await stage.move(pointerTo('b', 3));
    const onB = await stage.call('b', 0);
    expect(onB.values).toEqual(['1', '2', '3']);
    onB.ack();
    expect(await Promise.all([...sends.slice(1), late])).toMatchObject([
      { cluster: 'b', resent: false },
      { cluster: 'b', resent: false },
      { cluster: 'b', resent: false },
    ]);
    expect(stage.told).toEqual(['paused DRAIN', 'resumed by pointer', 'switched b']);
  });

  it('DRAIN asks again about a record whose end is unknown, and is not quiet before', async () => {
    const { send } = await stage.sender();
    const sent = send('0');
    const first = await stage.call('a', 0);
    await stage.move(pointerTo('a', 2, { mode: 'DRAIN', maxMs: 60_000 }));
    first.fail(Object.assign(new Error('connection lost'), { name: 'KafkaJSConnectionError' }));
    const again = await stage.call('a', 1);
    expect(stage.told).toEqual([]);
    again.ack();
    expect(await sent).toMatchObject({ cluster: 'a', resent: true });
    await vi.waitFor(() => expect(stage.told).toEqual(['paused DRAIN']));
  });

  it('DRAIN has a bounded buffer', async () => {
    const { producer, send } = await stage.sender({ buffer: { maxRecords: 2, maxWaitMs: 60_000 } });
    await stage.move(pointerTo('a', 2, { mode: 'DRAIN', maxMs: 60_000 }));
    const kept = Promise.allSettled([send('0'), send('1')]);
    await expect(send('2')).rejects.toMatchObject({ code: 'BUFFER_FULL' });
    await producer.disconnect(50);
    expect((await kept).map((k) => k.status === 'rejected' && k.reason.maybeWritten)).toEqual([false, false]);
  });

  it('both end by themselves after maxMs, with the config center silent', async () => {
    const { send } = await stage.sender();
    const consumer = stage.kafka.consumer({ groupId: 'billing' });
    consumer.subscribe({ topics: ['t'] });
    await consumer.run({ eachMessage: async () => undefined });
    const first = await stage.consumerOf('a');
    await stage.move(pointerTo('a', 2, { mode: 'HOLD', maxMs: 300 }));
    stage.server.stop();
    const sent = send('0');
    await vi.waitFor(() => expect(first.left).toBe(true));
    expect(stage.kafka.mode()).toBe('HOLD');
    expect(stage.clusters.a.calls).toHaveLength(0);
    (await stage.call('a', 0)).ack();
    expect(await sent).toMatchObject({ cluster: 'a', epoch: 2 });
    expect(stage.kafka.mode()).toBe('ACTIVE');
    await stage.consumerOf('a', 1);
    expect(stage.told).toEqual(['paused HOLD', 'resumed by max-ms']);
  });

  it('DRAIN leaves consumers alone; HOLD lets the handler end, takes its commit, and leaves the group', async () => {
    const consumer = stage.kafka.consumer({ groupId: 'billing' });
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
    const onA = await stage.consumerOf('a');
    await stage.move(pointerTo('a', 2, { mode: 'DRAIN', maxMs: 60_000 }));
    const handled = onA.deliver('41');
    await vi.waitFor(() => expect(seen).toEqual(['41']));
    await stage.move(pointerTo('a', 3, { mode: 'HOLD', maxMs: 60_000 }));
    const refused = onA.deliver('42');
    refused.catch(() => undefined);
    expect(onA.left).toBe(false);
    finish();
    await handled;
    await expect(refused).rejects.toMatchObject({ code: 'SUPERSEDED' });
    await vi.waitFor(() => expect(stage.told).toEqual(['paused DRAIN', 'paused HOLD']));
    expect(onA.committed).toEqual(['42']);
    expect(onA.left).toBe(true);
    expect(seen).toEqual(['41']);
    await vi.waitFor(() =>
      expect(stage.server.adoptions('orders')).toMatchObject([
        { kind: 'consumer', epoch: 3, mode: 'HOLD', state: 'held' },
      ]),
    );
    await stage.move(pointerTo('b', 4));
    await stage.consumerOf('b');
    await vi.waitFor(() => expect(stage.told.at(-1)).toBe('switched b'));
    await vi.waitFor(() =>
      expect(stage.server.adoptions('orders')).toMatchObject([{ cluster: 'b', epoch: 4, state: 'following' }]),
    );
  });

  it('close lets a handler at work send and commit what it makes of its record', async () => {
    const { send } = await stage.sender();
    const consumer = stage.kafka.consumer({ groupId: 'billing' });
    let work: () => void = () => undefined;
    const told = new Promise<void>((resolve) => (work = resolve));
    let atWork = false;
    consumer.subscribe({ topics: ['t'] });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ commit }) => {
        atWork = true;
        await told;
        await send('made of 41');
        await commit();
      },
    });
    const onA = await stage.consumerOf('a');
    const idle = stage.kafka.consumer({ groupId: 'audit' });
    idle.subscribe({ topics: ['t'] });
    await idle.run({ eachMessage: async () => undefined });
    const idleOnA = await stage.consumerOf('a', 1);
    const handled = onA.deliver('41');
    await vi.waitFor(() => expect(atWork).toBe(true));
    const closed = stage.kafka.close();
    await vi.waitFor(() => expect(idleOnA.left).toBe(true));
    work();
    (await stage.call('a', 0)).ack();
    await Promise.all([handled, closed]);
    expect(onA.committed).toEqual(['42']);
  });

  describe('a group that is just being joined', () => {
    let join: () => void;
    const joining = async (): Promise<ScriptedConsumer> => {
      stage.clusters.a.joinGate = new Promise((resolve) => (join = resolve));
      const consumer = stage.kafka.consumer({ groupId: 'billing' });
      consumer.subscribe({ topics: ['t'] });
      await consumer.run({ eachMessage: async () => undefined });
      await vi.waitFor(() => expect(stage.clusters.a.consumers[0]?.joining).toBe(true));
      return stage.clusters.a.consumers[0]!;
    };

    it('is left by a HOLD after the join, and only then is it quiet', async () => {
      const onA = await joining();
      await stage.move(pointerTo('a', 2, { mode: 'HOLD', maxMs: 60_000 }));
      await vi.waitFor(() => expect(stage.server.adoptions('orders')).toMatchObject([{ epoch: 2, state: 'moving' }]));
      expect(stage.told).toEqual([]);
      join();
      await vi.waitFor(() => expect(stage.told).toEqual(['paused HOLD']));
      expect(onA.left).toBe(true);
      await vi.waitFor(() => expect(stage.server.adoptions('orders')).toMatchObject([{ state: 'held' }]));
      expect(stage.clusters.a.consumers).toHaveLength(1);
    });

    it('does not hold up a switch, and is left all the same', async () => {
      const onA = await joining();
      await stage.move(pointerTo('b', 2));
      await stage.consumerOf('b');
      await vi.waitFor(() => expect(stage.told).toEqual(['switched b']));
      join();
      await vi.waitFor(() => expect(onA.left).toBe(true));
    });
  });

  describe('a batch', () => {
    const OFFSETS = ['40', '41', '42', '43'];
    /** Handles until it is told to stop, or to the end. `reached` is called before each record. */
    const start = async (reached: (offset: string) => Promise<void> | void, config = {}): Promise<ScriptedConsumer> => {
      const consumer = stage.kafka.consumer({ groupId: 'billing' });
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
      return stage.consumerOf('a');
    };

    it('that its handler broke off for a HOLD is committed as far as the handler resolved it', async () => {
      const onA = await start(async (offset) => {
        if (offset !== '42') return;
        await stage.move(pointerTo('a', 2, { mode: 'HOLD', maxMs: 60_000 }));
      });
      await new ScriptedBatch(OFFSETS).deliverTo(onA);
      expect(onA.committed).toEqual(['42']);
      await vi.waitFor(() => expect(stage.told).toEqual(['paused HOLD']));
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
    const { send } = await stage.sender();
    const consumer = stage.kafka.consumer({ groupId: 'billing' });
    consumer.subscribe({ topics: ['t'] });
    await consumer.run({ eachMessage: async () => undefined });
    await stage.consumerOf('a');
    await stage.move(pointerTo('a', 2, { mode: 'HOLD', maxMs: 60_000 }));
    const sent = send('0');
    await vi.waitFor(() => expect(stage.told).toEqual(['paused HOLD']));
    await stage.move(pointerTo('a', 3));
    (await stage.call('a', 0)).ack();
    expect(await sent).toMatchObject({ cluster: 'a', epoch: 3, resent: false });
    await stage.consumerOf('a', 1);
  });

  it('warns once of settings that risk records', async () => {
    const warnings: string[] = [];
    stage.kafka.on('warning', (w) => warnings.push(`${w.client}: ${w.setting}=${w.value}`));
    const producer = stage.kafka.producer({ idempotent: true, maxInFlightRequests: 5, buffer: { maxWaitMs: 5_000 } });
    const restartOnFailure = async () => true;
    stage.kafka.consumer({ groupId: 'billing', sessionTimeout: 120_000, retry: { restartOnFailure } });
    stage.kafka.transactionalProducer({ transactionalId: 'tx', transactionTimeout: 900_000 });
    stage.kafka.consumer({ groupId: 'audit', allowAutoTopicCreation: true });
    await Promise.resolve();
    expect(warnings).toEqual([
      'producer 1: buffer.maxWaitMs=5000',
      'producer 1: maxInFlightRequests=5',
      'consumer 2 (billing): sessionTimeout=120000',
      'consumer 2 (billing): retry.restartOnFailure=a function',
      'producer 3 (tx): transactionTimeout=900000',
      'consumer 4 (audit): allowAutoTopicCreation=true',
    ]);
    await expect(producer.send({ topic: 't', acks: 1, messages: [{ value: '' }] })).rejects.toThrow(/acks -1/);
  });

  it('begins anew with a fresh producer id when the broker has lost the sequence', async () => {
    const { send } = await stage.sender({ idempotent: true });
    const sent = send('0');
    (await stage.call('a', 0)).fail(Object.assign(new Error('error 45'), { code: 45 }));
    (await stage.call('a', 1)).ack();
    expect(await sent).toMatchObject({ cluster: 'a', resent: true });
    expect(stage.clusters.a.sessions).toBe(2);
  });
});
