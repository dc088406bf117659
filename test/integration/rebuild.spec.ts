import type { Admin, Consumer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command, CommandBody, CommandOutput, FlowGoal, FormerTopic, RebuildCommand } from '#failover';
import { PLAINTEXT, PlatformaticHands } from '#kafka';
import { startLab, waitFor, type Lab } from '#lab';
import { AgentHands } from '../../apps/agent/src/hands/index.js';
import { tailAgent } from './tail-rig.js';

// b is active, a came back with other topics: fewer partitions, other settings, its own records and offsets.
const GROUP = 'shop';
const TOPICS = ['orders', 'pay-*'];
const TOPIC_RESOURCE = 2;
let lab: Lab;
let hands: AgentHands;
let onA: Admin;
let onB: Admin;

async function run<K extends CommandOutput['kind']>(
  kind: K,
  body: CommandBody,
): Promise<Extract<CommandOutput, { kind: K }>> {
  const command: Command = { id: 'c', term: 1, epoch: 3, group: GROUP, deadlineMs: 8_000, body };
  const result = await hands.run(command, AbortSignal.timeout(9_000));
  if (!result.ok) throw new Error(`${result.code}: ${result.detail}`);
  if (result.output.kind !== kind) throw new Error(`${kind} expected, not ${result.output.kind}`);
  return result.output as Extract<CommandOutput, { kind: K }>;
}

const described = async (cluster: string) =>
  (await run('described_topics', { kind: 'describe_topics', cluster, topics: TOPICS })).topics;
const idOf = async (topic: string): Promise<string> =>
  (await described('a')).find((t) => t.topic === topic)?.id ?? 'not there';

/** Each of b's topics with the id that it has on a now: what the journal would hold before the first deletion. */
async function former(): Promise<readonly FormerTopic[]> {
  const ids = new Map((await described('a')).map((t) => [t.topic, t.id]));
  return (await described('b')).map(({ topic }) => ({ topic, id: ids.get(topic) ?? null }));
}

const remake = (topics: readonly FormerTopic[]): Extract<RebuildCommand, { kind: 'remake_topics' }> => ({
  ...{ kind: 'remake_topics', like: 'b', to: 'a', topics, consumerGroups: ['billing', 'nobody'] },
});

/** As the saga does: asked again until it is finished, or a person is wanted. */
const remade = (topics: readonly FormerTopic[]) =>
  waitFor(
    'the topics to be made anew',
    async () => {
      const output = await run('topics_remade', remake(topics));
      return output.progress.finished || output.obstacles.length > 0 ? output : undefined;
    },
    { timeoutMs: 40_000, pollMs: 200 },
  );

async function send(cluster: 'a' | 'b', topic: string, count: number, partitions: number): Promise<void> {
  const producer = lab.kafka(cluster).producer({ retry: { retries: 3 } });
  await producer.connect();
  const messages = Array.from({ length: count }, (_, i) => ({ value: `${cluster} ${i}`, partition: i % partitions }));
  await producer.send({ topic, messages });
  await producer.disconnect();
}

const endsOf = async (admin: Admin, topic: string): Promise<readonly number[]> =>
  (await admin.fetchTopicOffsets(topic)).toSorted((x, y) => x.partition - y.partition).map((p) => Number(p.high));

async function settingOf(admin: Admin, topic: string, name: string): Promise<string | undefined> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: TOPIC_RESOURCE, name: topic, configNames: [name] }],
  });
  return resources[0]?.configEntries[0]?.configValue;
}

async function readingA(): Promise<Consumer> {
  const consumer = lab.kafka('a').consumer({ groupId: 'billing', retry: { retries: 10 } });
  await consumer.connect();
  await consumer.subscribe({ topic: 'orders', fromBeginning: true });
  await consumer.run({ eachMessage: () => Promise.resolve() });
  return consumer;
}

const committed = async (): Promise<number> =>
  (await onA.fetchOffsets({ groupId: 'billing', topics: ['orders'] }))
    .flatMap((t) => t.partitions)
    .filter((p) => Number(p.offset) >= 0).length;

beforeAll(async () => {
  lab = await startLab({ clusters: { a: { brokers: 1 }, b: { brokers: 1 } }, postgres: false });
  onA = lab.kafka('a').admin();
  onB = lab.kafka('b').admin();
  await Promise.all([onA.connect(), onB.connect()]);
  await Promise.all([
    lab.createTopic('b', {
      name: 'orders',
      partitions: 3,
      configs: { 'retention.ms': '7200000', 'segment.ms': '60000' },
    }),
    lab.createTopic('b', { name: 'pay-eu', partitions: 1 }),
    lab.createTopic('a', { name: 'orders', partitions: 2, configs: { 'retention.ms': '3600000' } }),
    lab.createTopic('a', { name: 'audit', partitions: 1 }),
    lab.createTopic('a', { name: 'pointsman-check.shop', partitions: 1 }),
  ]);
  await lab.createFlow({ from: 'b', to: 'a', topics: TOPICS, consumerGroups: ['billing'], state: 'STOPPED' });
  await Promise.all([send('b', 'orders', 60, 3), send('b', 'pay-eu', 5, 1), send('a', 'orders', 8, 2)]);
  expect(await endsOf(onB, 'orders')).toEqual([20, 20, 20]); // kafkajs must have heard of a topic before it cuts its head
  await onB.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 0, offset: '4' }] });
  await onA.setOffsets({ groupId: 'billing', topic: 'orders', partitions: [{ partition: 0, offset: '3' }] });
  hands = new AgentHands(tailAgent(lab));
  const watch = { name: GROUP, clusters: ['a', 'b'], topics: TOPICS, consumerGroups: [], principals: [], flows: [] };
  hands.setWatch([{ ...watch, active: 'b', epoch: 3 }]);
}, 180_000);

afterAll(async () => {
  await onA?.disconnect();
  await onB?.disconnect();
  await hands?.close();
  await lab?.close();
});

describe('topics of a returned cluster, made anew on real brokers', () => {
  it('have the partitions and settings of the active one, no record, and no committed offset; others are left alone', async () => {
    const before = await former();
    expect(before).toEqual([
      { topic: 'orders', id: await idOf('orders') },
      { topic: 'pay-eu', id: null },
    ]);
    expect(await committed()).toBe(1);
    const output = await remade(before);
    expect(output).toMatchObject({ progress: { finished: true, done: 2, total: 2 }, obstacles: [] });
    expect(output.partitions).toHaveLength(4);
    expect(await endsOf(onA, 'orders')).toEqual([0, 0, 0]);
    expect(await endsOf(onA, 'pay-eu')).toEqual([0]);
    expect(await settingOf(onA, 'orders', 'retention.ms')).toBe('7200000');
    expect(await settingOf(onA, 'orders', 'segment.ms')).toBe('60000');
    expect(await committed()).toBe(0);
    expect(await idOf('orders')).not.toBe(before[0]?.id);
    expect(await onA.listTopics()).toEqual(expect.arrayContaining(['audit', 'pointsman-check.shop']));
  });

  it('asked again by another process: nothing is deleted, for what was old is known by its id', async () => {
    const ids = [await idOf('orders'), await idOf('pay-eu')];
    await hands.close();
    hands = new AgentHands(tailAgent(lab));
    const watch = { name: GROUP, clusters: ['a', 'b'], topics: TOPICS, consumerGroups: [], principals: [], flows: [] };
    hands.setWatch([{ ...watch, active: 'b', epoch: 3 }]);
    const gone = '00000000-0000-0000-0000-00000000beef';
    expect(
      await remade([
        { topic: 'orders', id: gone },
        { topic: 'pay-eu', id: null },
      ]),
    ).toMatchObject({
      progress: { finished: true },
    });
    expect([await idOf('orders'), await idOf('pay-eu')]).toEqual(ids);
  });

  it('are made where an agent died between deletion and creation', async () => {
    const before = await former();
    await onA.deleteTopics({ topics: ['orders'] });
    expect(await remade(before)).toMatchObject({ progress: { finished: true }, obstacles: [] });
    expect(await endsOf(onA, 'orders')).toEqual([0, 0, 0]);
  });

  it('replace one that a broker made by itself, empty and with its own number of partitions', async () => {
    const before = await former();
    await onA.deleteTopics({ topics: ['orders'] });
    await lab.createTopic('a', { name: 'orders', partitions: 1 });
    expect(await remade(before)).toMatchObject({ progress: { finished: true }, obstacles: [] });
    expect(await endsOf(onA, 'orders')).toEqual([0, 0, 0]);
    expect(await settingOf(onA, 'orders', 'segment.ms')).toBe('60000');
  });

  it('leave one that somebody has written to since to a person', async () => {
    const before = await former();
    await onA.deleteTopics({ topics: ['pay-eu'] });
    await lab.createTopic('a', { name: 'pay-eu', partitions: 1 });
    await send('a', 'pay-eu', 1, 1);
    expect((await remade(before)).obstacles).toEqual([
      expect.stringContaining('pay-eu was made anew and holds 1 offsets'),
    ]);
    expect(await endsOf(onA, 'pay-eu')).toEqual([1]);
    expect(await remade(await former())).toMatchObject({ progress: { finished: true } }); // asked anew, it is old
  });

  it('are not touched on the cluster that is active by all that the agent knows', async () => {
    const command = { ...remake(await former()), like: 'a', to: 'b' };
    await expect(run('topics_remade', command)).rejects.toThrow('nothing was deleted');
    expect(await endsOf(onB, 'pay-eu')).toEqual([5]);
  });

  it('consumers that are still there keep their offsets, and it is said', async () => {
    const own = new PlatformaticHands({
      ...{ clientId: 'test', bootstrapServers: lab.directBootstrapServers('a'), security: PLAINTEXT },
    });
    const consumer = await readingA();
    try {
      const partitions = new Map([['orders', [0]]]);
      await waitFor(
        'a member',
        async () => ((await own.groupStates(['billing'], 5_000)).get('billing') === 'STABLE' ? true : undefined),
        { timeoutMs: 30_000 },
      );
      expect(await own.deleteGroupOffsets('billing', partitions, 5_000)).toBe('active');
      await consumer.disconnect();
      await onA.setOffsets({ groupId: 'billing', topic: 'orders', partitions: [{ partition: 0, offset: '0' }] });
      expect(await committed()).toBe(1);
      expect(await own.deleteGroupOffsets('billing', partitions, 5_000)).toBe('removed');
      expect(await own.deleteGroupOffsets('never-seen', partitions, 5_000)).toBe('removed');
      expect(await committed()).toBe(0);
    } finally {
      own.close();
    }
  });

  it('are filled from the start of the active log, each partition to its last record', async () => {
    const connectors = { source: 'b-a-src', checkpoint: 'b-a-cp', heartbeat: 'b-a-hb' };
    const goal: FlowGoal = {
      ...{ subject: 'flow', group: GROUP, from: 'b', to: 'a', state: 'running', epoch: 4, term: 1, connectors },
    };
    const at = (offset: number) => [0, 1, 2].map((partition) => ({ topic: 'orders', partition, offset }));
    const seed = { kind: 'seed_flow', from: 'b', to: 'a', connectors } as const;
    const stale = await run('seeded', { ...seed, positions: at(11) }); // of the flow's former life
    expect(stale).toMatchObject({ outcome: 'seeded', equal: 3 });
    expect(await run('seeded', { ...seed, positions: at(0) })).toMatchObject({ outcome: 'seeded', equal: 3 });
    await waitFor(
      'the flow to run',
      async () => ((await hands.apply(goal, AbortSignal.timeout(20_000))).reached ? true : undefined),
      { timeoutMs: 50_000, pollMs: 500 },
    );
    const wanted = (await onB.fetchTopicOffsets('orders'))
      .toSorted((x, y) => x.partition - y.partition)
      .map((p) => Number(p.high) - Number(p.low));
    expect(wanted).toEqual([16, 20, 20]);
    const copied = async (): Promise<true | undefined> => {
      const ends = await Promise.all(['orders', 'pay-eu'].map((topic) => endsOf(onA, topic)));
      return String(ends) === String([wanted, [5]]) ? true : undefined;
    };
    await waitFor('the copy of both topics', copied, { timeoutMs: 40_000, pollMs: 200 });
  });
});
