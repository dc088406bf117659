import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import type { StepName } from '#failover';
import { checkTopic } from '#failover';
import { GROUP } from '../../tools/installation/index.js';
import { Load } from './support/load.js';
import { operate } from './support/operate.js';
import { askForSwitch, endOfSwitch, type Operation, told } from './support/planned.js';
import { PlainWriter } from './support/plain-writer.js';
import { TOPIC } from './support/stage.js';
import { say, Stand } from './support/stand.js';
import { connectorConfig, isFenced, restartConnector } from './support/world.js';

const STEP_MS = 60_000;

/** Each ends in one of the two good ends: the old side active and open, or the new side active; clients never stop for good. */
describe('what can go wrong in a planned switch, one after the other on one installation', () => {
  let stand: Stand;
  let load: Load;

  beforeAll(async () => {
    const group = {
      openTransactions: { wait: '2s', onTimeout: 'abort-switchover' },
      groupsOnTarget: { wait: '3s' },
    } as const;
    stand = await Stand.set({ partitions: 6, installation: { firstLeader: 'c', group } });
    load = await Load.start(stand.lab, { ordersPerSecond: 200, producerMode: 'mixed' });
    await goesOnAt('a');
  });
  afterAll(async () => {
    await load?.stop();
    await stand?.close();
  });
  beforeEach(() => onTestFailed(async () => say(await stand.report())));

  /** Applications work there: a hundred more orders are promised, and orders of there are read. */
  async function goesOnAt(cluster: 'a' | 'b'): Promise<void> {
    const before = load.stats?.acknowledged ?? 0;
    await load.waitForStats(
      `goes on at ${cluster}`,
      (s) => s.lastAckCluster === cluster && s.lastConsumedCluster === cluster && s.acknowledged > before + 100,
    );
  }

  /** Walked back: the pointer names the old side ACTIVE, nothing of ours is left on it, and the copy runs. */
  async function expectOldSide(operation: Operation, outcome: string): Promise<void> {
    expect({ outcome: operation.outcome, steps: told(operation) }).toMatchObject({ outcome });
    expect(await stand.installation.pointer()).toMatchObject({ activeCluster: 'a', mode: 'ACTIVE' });
    expect(await isFenced(stand.lab, 'a', TOPIC)).toBe(false);
    await goesOnAt('a');
    const running = expect.stringMatching(/^RUNNING/) as string;
    expect(await stand.flowStates('a', 'b')).toEqual([running, running]);
    await stand.installation.waitForSteady(STEP_MS);
  }

  const clientOf = (cluster: 'a' | 'b') =>
    new Kafka({ clientId: 'plain', brokers: stand.lab.directBootstrapServers(cluster), logLevel: logLevel.NOTHING });

  it('a transaction left open: given up before anything is fenced, with its id', async () => {
    const producer = clientOf('a').producer({
      transactionalId: 'forgotten-1',
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    try {
      await transaction.send({ topic: TOPIC, messages: [{ key: 'left-open', value: 'left open' }] });
      const operation = await endOfSwitch(stand, await askForSwitch(stand, 'b'));
      expect(operation.reason).toContain('transactions stay open on a: forgotten-1 on orders/');
      expect(operation.steps.some((s) => s.step === 'fence-source')).toBe(false);
      await transaction.abort();
      await expectOldSide(operation, 'FAILED');
    } finally {
      await producer.disconnect();
    }
  });

  it.each(['drain', 'fence-source', 'hold-consumers'] as const satisfies readonly StepName[])(
    'a person aborts during %s',
    async (step) => {
      const saga = await askForSwitch(stand, 'b');
      await stand.store.waitForEntry({ step, event: 'intent' }, STEP_MS);
      const leader = (await stand.installation.leader()) ?? 'c';
      const answer = await stand.installation.api(leader).post(`/v1/sagas/${saga}/abort`, { reason: 'not tonight' }, 0);
      expect(answer).toMatchObject({ status: 202, body: { outcome: 'aborted' } });
      await expectOldSide(await endOfSwitch(stand, saga), 'ABORTED');
    },
  );

  it('a fence that somebody takes away, while an application that heeds no pointer writes on', async () => {
    const { lab } = stand;
    const saga = await askForSwitch(stand, 'b');
    const writer = PlainWriter.start(lab.directBootstrapServers('a'), TOPIC);
    const admin = clientOf('a').admin();
    await admin.connect();
    const resources = [TOPIC, checkTopic(GROUP)].map((name) => ({ type: 2, name, configEntries: [] }));
    try {
      let over = false;
      const ended = endOfSwitch(stand, saga).finally(() => (over = true));
      await stand.store.waitForEntry({ step: 'fence-source', event: 'intent' }, STEP_MS);
      while (!over) await admin.alterConfigs({ validateOnly: false, resources });
      const operation = await ended;
      expect(operation.reason).toContain('the fence of a was not confirmed');
      await expectOldSide(operation, 'FAILED');
    } finally {
      await writer.close();
      await admin.disconnect();
    }
  });

  /** Replaces all settings that the topic has of its own. */
  async function setTopic(cluster: 'a' | 'b', settings: Readonly<Record<string, string>>): Promise<void> {
    const admin = clientOf(cluster).admin();
    await admin.connect();
    try {
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
      await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: TOPIC, configEntries }] });
    } finally {
      await admin.disconnect();
    }
  }

  it('a task of the copy that fails while it catches up: named with what Connect says, and walked back', async () => {
    const { lab, store } = stand;
    const writer = PlainWriter.start(lab.directBootstrapServers('a'), TOPIC); // to the last moment before the fence
    try {
      const saga = await askForSwitch(stand, 'b');
      await store.waitForEntry({ step: 'drain', event: 'intent' }, STEP_MS);
      await setTopic('b', { 'max.message.bytes': '10' });
      const operation = await endOfSwitch(stand, saga);
      expect(operation.reason).toMatch(/b did not catch up: .+ misses .+; a-b-src task 0 failed: .+RecordTooLarge/);
      await setTopic('b', {});
      await restartConnector(lab, 'b', 'a-b-src');
      await writer.close();
      await expectOldSide(operation, 'FAILED');
    } finally {
      await writer.close();
    }
  });

  it('a consumer group that stays active on the target is left alone, and said', async () => {
    const consumer = clientOf('b').consumer({ groupId: 'billing', sessionTimeout: 10_000 });
    await consumer.connect();
    try {
      await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
      const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
      await consumer.run({ eachMessage: () => Promise.resolve() });
      await joined;
      const operation = await endOfSwitch(stand, await askForSwitch(stand, 'b'));
      expect({ outcome: operation.outcome, steps: told(operation) }).toMatchObject({ outcome: 'DONE' });
      const steps = told(operation).join('\n');
      expect(steps).toContain('still members on b: billing');
      expect(steps).toContain('billing: consumes on the target already, left alone');
    } finally {
      await consumer.disconnect();
    }
    await goesOnAt('b');
    await stand.installation.waitForSteady(STEP_MS);
  });

  it('a way back that does not start: a debt with what Connect says, settled by a rejoin', async () => {
    const { lab, installation } = stand;
    const servers = 'source.cluster.bootstrap.servers';
    const config = await connectorConfig(lab, 'b', 'a-b-src', { [servers]: 'nowhere' });
    const operation = await endOfSwitch(stand, await askForSwitch(stand, 'a'));
    expect({ outcome: operation.outcome, steps: told(operation) }).toMatchObject({ outcome: 'DONE_WITH_DEBT' });
    expect(operation.reason).toMatch(/left over: reverse \(the flow a→b does not run: .*a-b-src failed: .+nowhere/);
    await goesOnAt('a');
    // Connect lists a stopped connector's tasks until they have ended.
    await expect.poll(() => stand.flowStates('a', 'b'), { timeout: STEP_MS }).toEqual(['STOPPED', 'STOPPED']);

    await connectorConfig(lab, 'b', 'a-b-src', { [servers]: config[servers] ?? '' });
    const { epoch } = (await installation.pointer()) ?? { epoch: 0 };
    const order = { choice: 'accept', reason: 'its configuration is mended', acceptUnfencedSource: true };
    await operate(stand, 'rejoin', order, epoch);
    await installation.waitForSteady(STEP_MS);
  });

  it('the brokers die in mid-saga: handed to the matrix, which fails over', async () => {
    const saga = await askForSwitch(stand, 'b');
    await stand.store.waitForEntry({ step: 'catch-up', event: 'intent' }, STEP_MS);
    const { epoch } = (await stand.installation.pointer()) ?? { epoch: 0 };
    await stand.lab.kill({ cluster: 'a' });
    expect((await endOfSwitch(stand, saga)).outcome).toBe('SOURCE_LOST');
    await stand.installation.waitForPointer('b', epoch, STEP_MS);
    await goesOnAt('b');
  });
});
