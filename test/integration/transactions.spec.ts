import { join } from 'node:path';
import kafkajs, { type Producer, type Transaction } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTopic, type ClusterGoal, type CommandBody, type CommandOutput } from '#failover';
import { startLab, waitFor, type Lab } from '#lab';
import { AgentHands } from '../../apps/agent/src/hands/index.js';

// What a planned switch asks about transactions, on real coordinators.
const GROUP = 'shop';
const CALL_MS = 3_000;

describe('open transactions on Kafka', () => {
  let lab: Lab;
  let hands: AgentHands;
  const producers: Producer[] = [];

  beforeAll(async () => {
    lab = await startLab({ clusters: { a: { brokers: 1 } }, connect: false, postgres: false });
    await lab.createTopic('a', { name: 'orders', partitions: 2 });
    await lab.createTopic('a', { name: 'other', partitions: 1 });
    hands = new AgentHands({
      agent: { id: 'agent-a', idc: 'a', dataDir: join(lab.dir, 'agent-a') },
      logLevel: 'info',
      controllers: [],
      tls: null,
      http: null,
      probe: { periodMs: 1_000, timeoutMs: 2_000, failures: 3 },
      referenceTargets: [],
      clusters: [
        {
          name: 'a',
          idc: 'a',
          bootstrapServers: lab.bootstrapServers('a', 'a'),
          security: { protocol: 'PLAINTEXT', sasl: null, tls: null },
          ordinary: null,
          connectUrl: null,
        },
      ],
    });
  });
  afterAll(async () => {
    for (const producer of producers) await producer.disconnect();
    await hands?.close();
    await lab?.close();
  });

  async function begin(transactionalId: string, topic = 'orders'): Promise<Transaction> {
    const kafka = new kafkajs.Kafka({
      clientId: transactionalId,
      brokers: lab.directBootstrapServers('a'),
      retry: { retries: 5, initialRetryTime: 50 },
      logLevel: kafkajs.logLevel.NOTHING,
    });
    const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    producers.push(producer);
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ partition: 0, value: transactionalId }] });
    return transaction;
  }

  async function run<K extends CommandOutput['kind']>(
    body: CommandBody,
    kind: K,
  ): Promise<Extract<CommandOutput, { kind: K }>> {
    const command = { id: '1', term: 1, epoch: 1, group: GROUP, deadlineMs: CALL_MS, body };
    const result = await hands.run(command, AbortSignal.timeout(CALL_MS));
    if (!result.ok || result.output.kind !== kind) throw new Error(JSON.stringify(result));
    return result.output as Extract<CommandOutput, { kind: K }>;
  }

  const listed = async () =>
    (await run({ kind: 'list_transactions', cluster: 'a', topics: ['orders'] }, 'open_transactions')).open;
  const abort = (...transactionalIds: readonly string[]) =>
    run({ kind: 'abort_transactions', cluster: 'a', transactionalIds }, 'aborted_transactions');
  async function count() {
    const ends = await run({ kind: 'read_end_offsets', cluster: 'a', topics: ['orders'] }, 'end_offsets');
    const ranges = ends.ends.map(({ topic, partition, offset }) => ({ topic, partition, from: 0, to: offset }));
    return (await run({ kind: 'count_records', cluster: 'a', ranges }, 'record_counts')).counts;
  }

  it('are named with the partitions of the asked topics, and with no other topic', async () => {
    await begin('elsewhere', 'other');
    expect(await listed()).toEqual([]);
    const transaction = await begin('pay-1');
    expect(await listed()).toEqual([
      {
        transactionalId: 'pay-1',
        state: 'ongoing',
        startedAtMs: expect.any(Number),
        partitions: [{ topic: 'orders', partition: 0 }],
      },
    ]);
    await transaction.commit();
    await waitFor('its markers are written', async () => ((await listed()).length === 0 ? true : undefined), {
      timeoutMs: 10_000,
    });
    expect((await count())[0]).toMatchObject({ partition: 0, records: 1, openFrom: null });
  });

  it('are aborted: readers of committed records go past them, and their producer is at an end', async () => {
    const transaction = await begin('pay-2');
    expect((await count())[0]).toMatchObject({ openFrom: 2 });
    expect(await abort('pay-2')).toMatchObject({ aborted: ['pay-2'], refused: [] });
    expect(await listed()).toEqual([]);
    expect((await count())[0]).toMatchObject({ records: 1, openFrom: null });
    await expect(transaction.commit()).rejects.toThrow(/old epoch/);
  });

  it('hang under a fence by topic configuration: it refuses their markers too', async () => {
    await begin('pay-3');
    const goal = (state: ClusterGoal['state'], epoch: number): ClusterGoal => ({
      subject: 'cluster',
      group: GROUP,
      cluster: 'a',
      state,
      epoch,
      term: 1,
      topics: ['orders', checkTopic(GROUP)],
    });
    expect(await hands.apply(goal('fenced', 2), AbortSignal.timeout(CALL_MS))).toMatchObject({
      observed: 'fenced',
      kind: 'topic-config',
    });
    expect(await abort('pay-3')).toMatchObject({ aborted: [], refused: [{ transactionalId: 'pay-3' }] });
    expect(await listed()).toMatchObject([{ transactionalId: 'pay-3', state: 'ending' }]);

    // The coordinator does not try again once the topic is open: only one that reads its log anew does.
    expect(await hands.apply(goal('open', 3), AbortSignal.timeout(CALL_MS))).toMatchObject({ observed: 'open' });
    expect(await abort('pay-3')).toMatchObject({ refused: [{ transactionalId: 'pay-3' }] });
    expect((await count())[0]).toMatchObject({ openFrom: 4 });
    await lab.stop({ cluster: 'a' });
    await lab.start({ cluster: 'a' });
    await waitFor(
      'the coordinator writes the markers',
      async () => ((await listed().catch(() => null))?.length === 0 ? true : undefined),
      { timeoutMs: 30_000 },
    );
    expect((await count())[0]).toMatchObject({ openFrom: null });
  }, 120_000);
});
