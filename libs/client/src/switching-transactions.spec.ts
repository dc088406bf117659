import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TransactionAbortedError } from './client.errors.js';
import { pointerTo, ScriptedStage } from './scripted-stage.spec-helper.js';

describe('transactions', () => {
  let stage: ScriptedStage;
  beforeEach(async () => {
    stage = await ScriptedStage.start();
  });
  afterEach(() => stage.kafka.close());

  const message = (value: string) => ({ topic: 't', messages: [{ value }] });

  it('commit within a DRAIN, and the next one waits for the cluster that is active then', async () => {
    const producer = stage.kafka.transactionalProducer({ transactionalId: 'tx' });
    await producer.connect();
    const first = await producer.transaction();
    await first.send(message('1'));
    await stage.move(pointerTo('a', 2, { mode: 'DRAIN', maxMs: 60_000 }));
    expect(stage.told).toEqual([]);
    await first.commit();
    await vi.waitFor(() => expect(stage.told).toEqual(['paused DRAIN']));
    const second = producer.transaction();
    await stage.move(pointerTo('b', 3));
    const onB = await second;
    expect(onB.cluster).toBe('b');
    await onB.send(message('2'));
    await onB.commit();
    expect(stage.clusters.a.transactions).toEqual([['1', 'COMMIT']]);
    expect(stage.clusters.b.transactions).toEqual([['2', 'COMMIT']]);
  });

  it('are aborted at a switch, told as a retriable error, and begun anew', async () => {
    const producer = stage.kafka.transactionalProducer({ transactionalId: 'tx' });
    const open = await producer.transaction();
    await open.send(message('1'));
    await expect(producer.transaction()).rejects.toThrow(/open/);
    await stage.move(pointerTo('b', 2));
    const failure = await open.send(message('2')).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(TransactionAbortedError);
    expect(failure).toMatchObject({ retriable: true, reason: 'switched', maybeCommitted: false, cluster: 'a' });
    await expect(open.commit()).rejects.toBe(failure);
    const again = await producer.transaction();
    await again.send(message('1'));
    await again.commit();
    expect(stage.clusters.a.transactions).toEqual([['1', 'ABORT']]);
    expect(stage.clusters.b.transactions).toEqual([['1', 'COMMIT']]);
  });

  it('say when a commit was under way at the switch', async () => {
    stage.clusters.a.commitGate = new Promise(() => undefined);
    const producer = stage.kafka.transactionalProducer({ transactionalId: 'tx' });
    const open = await producer.transaction();
    const committing = open.commit().catch((e: unknown) => e);
    await stage.move(pointerTo('b', 2));
    expect(await committing).toMatchObject({ code: 'TRANSACTION_ABORTED', maybeCommitted: true });
    expect(stage.clusters.a.transactions).toEqual([[]]);
  });

  it('refused by a fence are retriable, on a producer of their own', async () => {
    const producer = stage.kafka.transactionalProducer({ transactionalId: 'tx' });
    const open = await producer.transaction();
    await expect(open.send(message('fenced'))).rejects.toMatchObject({ reason: 'fenced', retriable: true });
    expect(open.isActive()).toBe(false);
    await vi.waitFor(() => expect(stage.clusters.a.transactions).toEqual([['ABORT']]));
    const again = await producer.transaction();
    await again.abort();
    expect(stage.clusters.a.sessions).toBe(2);
  });

  it('stay retriable under a DENY, however often they are begun anew on the cluster that took them before', async () => {
    const producer = stage.kafka.transactionalProducer({ transactionalId: 'tx' });
    const first = await producer.transaction();
    await first.send(message('1'));
    await first.commit();
    stage.clusters.a.denied.add('t');
    for (let n = 0; n < 2; n++) {
      const open = await producer.transaction();
      await expect(open.send(message('2'))).rejects.toMatchObject({ reason: 'fenced', retriable: true });
    }
    expect(stage.clusters.a.sessions).toBe(3);
  });

  it('are refused for a topic that this cluster never took, whatever it took of others', async () => {
    const producer = stage.kafka.transactionalProducer({ transactionalId: 'tx' });
    stage.clusters.a.denied.add('foreign');
    const open = await producer.transaction();
    await open.send(message('1'));
    const refused = open.send({ topic: 'foreign', messages: [{ value: '2' }] });
    await expect(refused).rejects.toMatchObject({ reason: 'failed', retriable: false });
  });

  it('know within their first one that a DENY is a fence', async () => {
    const producer = stage.kafka.transactionalProducer({ transactionalId: 'tx' });
    const open = await producer.transaction();
    await open.send(message('1'));
    stage.clusters.a.denied.add('t');
    await expect(open.send(message('2'))).rejects.toMatchObject({ reason: 'fenced', retriable: true });
  });
});
