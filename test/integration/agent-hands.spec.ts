import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Producer } from 'kafkajs';
import { checkTopic, type ClusterGoal, type Command, type CommandBody, type FlowGoal } from '#failover';
import { startLab, waitFor, type Lab } from '#lab';
import type { AgentConfig } from '../../apps/agent/src/config/agent-config.js';
import { AgentHands } from '../../apps/agent/src/hands/index.js';

// One broker each in a and b, MM2 a → b; the hands have credentials for both.
const PREVIOUS = '2000000';
let lab: Lab;
let hands: AgentHands;
let producer: Producer;

const never = new AbortController().signal;
const within = (ms: number): AbortSignal => AbortSignal.timeout(ms);

beforeAll(async () => {
  lab = await startLab({ clusters: { a: { brokers: 1 }, b: { brokers: 1 } }, postgres: false });
  await lab.createTopic('a', { name: 'orders', partitions: 2 });
  await lab.createTopic('a', { name: 'pay-eu', partitions: 1, configs: { 'max.message.bytes': PREVIOUS } });
  await lab.createFlow({
    from: 'a',
    to: 'b',
    topics: ['orders', 'pay-*'],
    consumerGroups: ['billing'],
    state: 'RUNNING',
  });
  hands = new AgentHands(configOf(lab));
  producer = lab.kafka('a').producer({ retry: { retries: 0 } });
  await producer.connect();
  await send('orders', 40);
});

afterAll(async () => {
  await producer?.disconnect();
  await hands?.close();
  await lab?.close();
});

function configOf(from: Lab): AgentConfig {
  const cluster = (name: 'a' | 'b') => ({
    name,
    idc: name,
    bootstrapServers: from.bootstrapServers(name, 'a'),
    security: { protocol: 'PLAINTEXT', sasl: null, tls: null } as const,
    ordinary: null,
    connectUrl: from.connectUrl(name, 'a'),
  });
  return {
    agent: { id: 'agent-a', idc: 'a', dataDir: `${from.dir}/agent-a` },
    logLevel: 'info',
    controllers: [],
    tls: null,
    http: null,
    probe: { periodMs: 1_000, timeoutMs: 1_000, failures: 3 },
    referenceTargets: [],
    clusters: [cluster('a'), cluster('b')],
  };
}

const send = (topic: string, count: number) =>
  producer.send({
    topic,
    messages: Array.from({ length: count }, (_, i) => ({
      value: `value ${i}`,
      partition: topic === 'orders' ? i % 2 : 0,
    })),
  });

const clusterGoal = (state: ClusterGoal['state'], epoch = 3): ClusterGoal => ({
  subject: 'cluster',
  group: 'shop',
  cluster: 'a',
  state,
  epoch,
  term: 1,
  topics: ['orders', 'pay-*', checkTopic('shop')],
});
const flowGoal = (state: FlowGoal['state']): FlowGoal => ({
  subject: 'flow',
  group: 'shop',
  from: 'a',
  to: 'b',
  state,
  epoch: 3,
  term: 1,
  connectors: { source: 'a-b-src', checkpoint: 'a-b-cp', heartbeat: 'a-b-hb' },
});
const run = async (body: CommandBody) => {
  const command: Command = { id: 'c1', term: 1, epoch: 3, group: 'shop', deadlineMs: 8_000, body };
  return hands.run(command, within(command.deadlineMs));
};
const output = async (body: CommandBody) => {
  const result = await run(body);
  if (!result.ok) throw new Error(`${result.code}: ${result.detail}`);
  return result.output;
};

/** Of `orders` on b: what MirrorMaker 2 may write there. */
async function setTargetLimit(bytes: string): Promise<void> {
  const admin = lab.kafka('b').admin();
  await admin.connect();
  const configEntries = [{ name: 'max.message.bytes', value: bytes }];
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: 'orders', configEntries }] });
  await admin.disconnect();
}

async function maxMessageBytes(topic: string, of: 'a' | 'b' = 'a'): Promise<{ value: string; isDefault: boolean }> {
  const admin = lab.kafka(of).admin();
  await admin.connect();
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: topic, configNames: ['max.message.bytes'] }],
  });
  await admin.disconnect();
  const entry = resources[0]?.configEntries[0];
  return { value: entry?.configValue ?? '', isDefault: entry?.isDefault ?? false };
}

/** The record is written behind the status, which does not wait for it. */
const recorded = () => hands.newestEpoch('a', 'shop', never);
const RECORDED = { timeout: 10_000 };

describe('fence 2', () => {
  it('closes every topic of the goal for an ordinary client, and the check topic that it made', async () => {
    const status = await hands.apply(clusterGoal('fenced'), within(10_000));
    expect(status).toMatchObject({ key: 'shop/cluster/a', observed: 'fenced', reached: true, epoch: 3 });
    expect(status.previous).toEqual({ orders: null, 'pay-eu': PREVIOUS, [checkTopic('shop')]: null });
    for (const topic of ['orders', 'pay-eu', checkTopic('shop')]) {
      await expect(send(topic, 1)).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
    }
    expect(
      await output({ kind: 'canary', cluster: 'a', topic: checkTopic('shop'), principal: 'ordinary' }),
    ).toMatchObject({ accepted: false, errorCode: 10 });
    await expect.poll(recorded, RECORDED).toEqual({ epoch: 3, term: 1, active: null });
    expect(await hands.newestEpoch('a', 'other', never)).toBeNull();
  });

  it('is put back where it was taken away, also on a topic made since', async () => {
    await lab.createTopic('a', { name: 'pay-us', partitions: 1 });
    const admin = lab.kafka('a').admin();
    await admin.connect();
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: 'orders', configEntries: [] }] });
    await admin.disconnect();
    await waitFor(
      'the fence to be gone',
      async () => ((await maxMessageBytes('orders')).isDefault ? true : undefined),
      { timeoutMs: 5_000 },
    );
    expect(await hands.observe(clusterGoal('fenced'))).toMatchObject({ observed: 'partial', reached: false });
    const status = await hands.apply(clusterGoal('fenced'), within(10_000));
    expect(status).toMatchObject({ observed: 'fenced', reached: true });
    expect(status.detail).toContain('orders: the fence had been removed');
    await expect(send('pay-us', 1)).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
  });

  it('opens to exactly what was there before, by another process that finds the journal', async () => {
    await hands.close();
    hands = new AgentHands(configOf(lab));
    const status = await hands.apply(clusterGoal('open', 4), within(10_000));
    expect(status).toMatchObject({ observed: 'open', reached: true });
    expect(await maxMessageBytes('orders')).toMatchObject({ isDefault: true });
    expect(await maxMessageBytes('pay-eu')).toEqual({ value: PREVIOUS, isDefault: false });
    await send('orders', 2);
    expect(
      await output({ kind: 'canary', cluster: 'a', topic: checkTopic('shop'), principal: 'ordinary' }),
    ).toMatchObject({ accepted: true });
    await expect.poll(recorded, RECORDED).toMatchObject({ epoch: 4 });
  });

  it('opens to what was there before, where another agent closed it and the leader says what that one remembers', async () => {
    const standIn = new AgentHands({
      ...configOf(lab),
      agent: { id: 'agent-b', idc: 'b', dataDir: `${lab.dir}/agent-b` },
    });
    try {
      const { previous } = await standIn.apply(clusterGoal('fenced', 5), within(10_000));
      expect(previous).toMatchObject({ 'pay-eu': PREVIOUS });
      const opening = { ...clusterGoal('open', 6), previous };
      expect(await hands.apply(opening, within(10_000))).toMatchObject({ observed: 'open', reached: true });
      expect(await maxMessageBytes('pay-eu')).toEqual({ value: PREVIOUS, isDefault: false });
      expect(await standIn.observe(opening)).toMatchObject({ observed: 'open', previous: {} });
    } finally {
      await standIn.close();
    }
  });

  it('says unknown, not open, when the cluster cannot be reached', async () => {
    const status = await hands.apply({ ...clusterGoal('fenced'), cluster: 'nowhere' }, within(1_000));
    expect(status).toMatchObject({ observed: 'unknown', reached: false });
  });
});

describe('the flow a → b', () => {
  it('tells N per partition, by the worker and by its topic alike', async () => {
    const ends = await output({ kind: 'read_end_offsets', cluster: 'a', topics: ['orders'] });
    if (ends.kind !== 'end_offsets') throw new Error('end offsets expected');
    const body = {
      kind: 'read_replication_position',
      from: 'a',
      to: 'b',
      connectors: flowGoal('running').connectors,
      topics: ['orders'],
    } as const;
    const wanted = ends.ends.map((e) => ({ ...e, offset: e.offset - 1 }));
    const byPartition = (list: readonly { partition: number }[]) => list.toSorted((x, y) => x.partition - y.partition);
    const viaConnect = await waitFor(
      'N at the end',
      async () => {
        const found = await output(body);
        if (found.kind !== 'replication_position') return undefined;
        return JSON.stringify(byPartition(found.positions)) === JSON.stringify(byPartition(wanted)) ? found : undefined;
      },
      { timeoutMs: 30_000, pollMs: 200 },
    );
    expect(viaConnect.via).toBe('connect');
    await lab.freeze({ connect: 'b' });
    const viaTopic = await output(body);
    await lab.thaw({ connect: 'b' });
    if (viaTopic.kind !== 'replication_position') throw new Error('positions expected');
    expect(viaTopic.via).toBe('topic');
    expect(byPartition(viaTopic.positions)).toEqual(byPartition(viaConnect.positions));
  });

  it('stops until no task is left, and runs again', async () => {
    const stopped = await hands.apply(flowGoal('stopped'), within(20_000));
    expect(stopped).toMatchObject({ key: 'shop/flow/a->b', observed: 'stopped', reached: true });
    expect(stopped.detail).toContain('a-b-src STOPPED []');
    expect(await hands.apply(flowGoal('running'), within(20_000))).toMatchObject({
      observed: 'running',
      reached: true,
    });
  });

  it('restarts a task that failed, once its cause is gone', async () => {
    await setTargetLimit('1000');
    await producer.send({ topic: 'orders', messages: [{ value: 'x'.repeat(5_000), partition: 0 }] });
    const fails = async () => ((await hands.observe(flowGoal('running'))).detail.includes('FAILED') ? true : undefined);
    await waitFor('the copying fails', fails, { timeoutMs: 30_000 });
    // A task that was just restarted says RUNNING for a moment before it fails again, and nothing while it starts.
    const tried = async () => {
      const status = await hands.apply(flowGoal('running'), within(3_000));
      return !status.reached && status.detail.includes('(restarted') ? status : undefined;
    };
    const inVain = await waitFor('the restart to be in vain', tried, { timeoutMs: 30_000, pollMs: 500 });
    expect(inVain.detail).toMatch(/a-b-src task \d+ failed: org\.apache\.kafka.*\(restarted( \d of 8 times)?\)/);
    await setTargetLimit('1048588');
    expect(await hands.apply(flowGoal('running'), within(40_000))).toMatchObject({ reached: true });
  });

  it('is attested down by a worker that refuses connections while its cluster answers', async () => {
    const config = configOf(lab);
    const clusters = config.clusters.map((c) => ({ ...c, connectUrl: 'http://127.0.0.1:9' }));
    const workerless = new AgentHands({ ...config, clusters });
    const status = await workerless.apply(flowGoal('stopped'), within(20_000));
    expect(status).toMatchObject({ wanted: 'stopped', observed: 'refused', reached: false, epoch: 3, term: 1 });
    expect(status.detail).toContain('attested down');
    await workerless.close();
  });

  it("is absent by the worker's own word on connectors that nobody made", async () => {
    const connectors = { source: 'none-src', checkpoint: 'none-cp', heartbeat: 'none-hb' };
    const status = await hands.apply({ ...flowGoal('stopped'), connectors }, within(20_000));
    expect(status).toMatchObject({ reached: true, detail: 'none-src absent; none-cp absent' });
  });

  it('sends no change to a worker whose own cluster does not answer', async () => {
    await lab.resetProxyStats();
    await lab.freeze({ broker: ['b', 1] });
    const status = await hands.apply(flowGoal('stopped'), within(8_000));
    await lab.thaw({ broker: ['b', 1] });
    expect(status.reached).toBe(false);
    const { mutating } = await lab.proxyStats();
    expect(mutating.connectLog).toEqual([]);
  });
});

describe('an address of a that leads to b', () => {
  it('is refused after a restart, and nothing is changed there', async () => {
    await hands.close();
    const config = configOf(lab);
    const bootstrapServers = lab.bootstrapServers('b', 'a');
    const flipped = config.clusters.map((c) => (c.name === 'a' ? { ...c, bootstrapServers } : c));
    hands = new AgentHands({ ...config, clusters: flipped });
    const before = await maxMessageBytes('orders', 'b');
    const status = await hands.apply(clusterGoal('fenced', 9), within(8_000));
    expect(status).toMatchObject({ observed: 'unknown', reached: false });
    expect(status.detail).toMatch(/the cluster that answers is \S+, and a is \S+: an address leads to another cluster/);
    expect(await maxMessageBytes('orders', 'b')).toEqual(before);
    await hands.close();
    hands = new AgentHands(config);
    expect(await hands.observe(clusterGoal('open', 9))).toMatchObject({ observed: 'open' });
  });
});

describe('group offsets', () => {
  const offsets = [0, 1].map((partition) => ({ topic: 'orders', partition, offset: 5 + partition }));

  it('are set on an empty group and read back', async () => {
    expect(await output({ kind: 'apply_group_offsets', cluster: 'a', group: 'billing', offsets })).toEqual({
      kind: 'applied',
      outcome: 'applied',
      offsets,
    });
    expect(await output({ kind: 'read_group_offsets', cluster: 'a', groups: ['billing'], topics: ['orders'] })).toEqual(
      {
        kind: 'group_offsets',
        offsets: offsets.map((o) => ({ group: 'billing', ...o })),
        states: { billing: 'EMPTY' },
      },
    );
  });

  it('are left alone while somebody consumes', async () => {
    const consumer = lab.kafka('a').consumer({ groupId: 'billing' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'orders' });
    await consumer.run({ eachMessage: () => Promise.resolve() });
    try {
      const result = await waitFor(
        'the group to be active',
        async () => {
          const applied = await output({
            kind: 'apply_group_offsets',
            cluster: 'a',
            group: 'billing',
            offsets: offsets.map((o) => ({ ...o, offset: 0 })),
          });
          return applied.kind === 'applied' && applied.outcome === 'active' ? applied : undefined;
        },
        { timeoutMs: 10_000, pollMs: 200 },
      );
      expect(result.outcome).toBe('active');
    } finally {
      await consumer.disconnect();
    }
  });
});
