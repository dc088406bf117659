import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANARY_TOPIC, type WatchGroup } from '#failover';
import { monotonicMs } from '#kafka';
import { startLab, waitFor, type Lab } from '#lab';
import type { AgentConfig } from '../../apps/agent/src/config/agent-config.js';
import type { ClusterProbe, ProbeRound, SelfMonitor } from '../../apps/agent/src/ports.js';
import { createClusterProbe, createSelfMonitor, EndOffsetBoard } from '../../apps/agent/src/probes/index.js';

// One lab with three brokers in a and one in b, real MM2 a → b; the agent of IDC a looks at both clusters.
const TIMEOUT_MS = 1_000;
const group: WatchGroup = {
  name: 'orders',
  clusters: ['a', 'b'],
  topics: ['orders'],
  consumerGroups: ['billing', 'shipping', 'nobody'],
  principals: [],
  flows: [
    {
      from: 'a',
      to: 'b',
      naming: 'identity',
      connectors: { source: 'a-b-src', checkpoint: 'a-b-cp', heartbeat: 'a-b-hb' },
    },
  ],
  active: 'a',
  epoch: 1,
};

let lab: Lab;
let self: SelfMonitor;
let a: ClusterProbe;
let b: ClusterProbe;

const configOf = (): AgentConfig => {
  const cluster = (name: 'a' | 'b') => ({
    name,
    idc: name,
    bootstrapServers: lab.bootstrapServers(name, 'a'),
    security: { protocol: 'PLAINTEXT', sasl: null, tls: null } as const,
    ordinary: null,
    connectUrl: lab.connectUrl(name, 'a'),
  });
  return {
    agent: { id: 'agent-a', idc: 'a', dataDir: lab.dir },
    logLevel: 'info',
    controllers: [],
    tls: null,
    http: null,
    probe: { periodMs: TIMEOUT_MS, timeoutMs: TIMEOUT_MS, failures: 3 },
    referenceTargets: [],
    clusters: [cluster('a'), cluster('b')],
  };
};

beforeAll(async () => {
  lab = await startLab({ clusters: { a: { brokers: 3 }, b: { brokers: 1 } }, postgres: false });
  await lab.createTopic('a', { name: 'orders', partitions: 6, configs: { 'min.insync.replicas': '2' } });
  await lab.createFlow({ from: 'a', to: 'b', topics: ['orders'], consumerGroups: [], state: 'RUNNING' });
  await lab.createFlow({ from: 'b', to: 'a', topics: ['orders'], consumerGroups: [], state: 'STOPPED' });
  const config = configOf();
  self = createSelfMonitor(config, monotonicMs);
  const board = new EndOffsetBoard();
  const [ca, cb] = config.clusters;
  if (!ca || !cb) throw new Error('two clusters expected');
  a = createClusterProbe(ca, { config, clock: monotonicMs, self, board });
  b = createClusterProbe(cb, { config, clock: monotonicMs, self, board });
  a.setWatch([group], 'a');
  b.setWatch([group], 'b');
});

afterAll(async () => {
  await a?.close();
  await b?.close();
  await self?.close();
  await lab?.close();
});

const until = (what: string, probe: ClusterProbe, holds: (round: ProbeRound) => boolean, timeoutMs = 20_000) =>
  waitFor(
    what,
    async () => {
      const round = await probe.sample();
      return holds(round) ? round : undefined;
    },
    { timeoutMs, pollMs: 50 },
  );

async function send(count: number): Promise<void> {
  const producer = lab.kafka('a').producer();
  await producer.connect();
  await producer.send({
    topic: 'orders',
    messages: Array.from({ length: count }, (_, i) => ({ value: `v${i}`, partition: i % 6 })),
  });
  await producer.disconnect();
}

/** Partition 0 of `orders` holds ten records of the first batch of 60. */
async function commit(groupId: string, offset: number): Promise<void> {
  const admin = lab.kafka('a').admin();
  await admin.connect();
  await admin.setOffsets({ groupId, topic: 'orders', partitions: [{ partition: 0, offset: String(offset) }] });
  await admin.disconnect();
}

describe('a healthy cluster', () => {
  it('is seen whole: brokers, quorum, partitions, a canary on each broker', async () => {
    const { sample, clusterSettings } = await until(
      'canaries on three brokers',
      a,
      (r) => r.sample.canaries.length === 3,
    );
    expect(sample.brokers.map((x) => [x.brokerId, x.error])).toEqual([
      [1, null],
      [2, null],
      [3, null],
    ]);
    expect(sample).toMatchObject({ expectedBrokers: 3, activeBrokers: 3, self: { healthy: true, reasons: [] } });
    expect(sample.hotStandby).toEqual({ total: 6, offline: 0, underReplicated: 0, underMinIsr: 0 });
    expect(sample.canaries.map((c) => [c.brokerId, c.ok, c.error])).toEqual([
      [1, true, null],
      [2, true, null],
      [3, true, null],
    ]);
    expect(sample.quorumLeader).not.toBeNull();
    expect(clusterSettings).toMatchObject({
      brokerSessionTimeoutMs: 3_000,
      electionTimeoutMs: 500,
      initialRebalanceDelayMs: 0,
      fencing: { authorizer: false, agentIsSuperUser: null, denyByDefault: null },
      topics: [{ topic: 'orders', partitions: 6, replicationFactor: 3, minIsr: 2, maxMessageBytes: 1_048_588 }],
    });
    const space = clusterSettings?.logDirSpace;
    expect(space?.freeBytes).toBeGreaterThan(0);
    expect(space?.freeBytes).toBeLessThan(space?.totalBytes ?? 0);
    const topics = await lab
      .kafka('a')
      .admin()
      .fetchTopicMetadata({ topics: [CANARY_TOPIC] });
    expect(topics.topics[0]?.partitions).toHaveLength(3);
  });

  it('shows that clients write', async () => {
    await a.sample();
    await send(60);
    expect((await a.sample()).sample.endOffsetsAdvanced).toBe(true);
    expect((await a.sample()).sample.endOffsetsAdvanced).toBe(false);
  });

  it('shows how far consumer groups are, those that never committed too', async () => {
    await commit('billing', 4);
    await commit('shipping', 9);
    const lagOf = ({ consumerGroups }: ProbeRound, name: string) =>
      consumerGroups.find((c) => c.consumerGroup === name)?.lagRecords;
    const before = await until(
      'both groups read',
      a,
      (r) => lagOf(r, 'billing') === 6 && lagOf(r, 'shipping') === 1 && lagOf(r, 'nobody') === null,
      60_000,
    );
    expect(before.consumerGroups).toMatchObject([{ group: 'orders' }, { group: 'orders' }, { group: 'orders' }]);
    await commit('billing', 10);
    const after = await until('billing at the end', a, (r) => lagOf(r, 'billing') === 0);
    expect(after.consumerGroups.find((c) => c.consumerGroup === 'billing')?.committedAgeMs).not.toBeNull();
    expect(lagOf(after, 'shipping')).toBe(1);
  });

  it('costs at most 2B+1 requests and the canary, whatever the number of partitions and groups', async () => {
    const rounds = 3;
    await lab.resetProxyStats();
    for (let i = 0; i < rounds; i += 1) await a.sample();
    const { kafkaRequestsByClient } = await lab.proxyStats();
    const sent = kafkaRequestsByClient['a->a']?.['pointsman-agent-a'] ?? {};
    // The slow ticks may fall into these rounds, once each.
    const { DescribeConfigs = 0, FindCoordinator = 0, OffsetFetch = 0, ...rest } = sent;
    const { DescribeGroups = 0, DescribeLogDirs = 0, ...perRound } = rest;
    expect(perRound).toEqual({
      Metadata: rounds,
      ListOffsets: 3 * rounds,
      Produce: 3 * rounds,
      Fetch: 3 * rounds,
      DescribeQuorum: rounds,
    });
    expect(DescribeConfigs).toBeLessThanOrEqual(2);
    expect(FindCoordinator).toBeLessThanOrEqual(1);
    expect(DescribeGroups).toBeLessThanOrEqual(3);
    expect(DescribeLogDirs).toBeLessThanOrEqual(3);
    expect(OffsetFetch).toBeGreaterThanOrEqual(rounds);
    expect(OffsetFetch).toBeLessThanOrEqual(3 * rounds); // one per coordinator: Metadata + ListOffsets + this ≤ 2B+1
  });

  it('counts the members of a group, and none of one that nobody reads in', async () => {
    const consumer = lab.kafka('a').consumer({ groupId: 'billing' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'orders' });
    await consumer.run({ eachMessage: () => Promise.resolve() });
    const membersOf = ({ consumerGroups }: ProbeRound, name: string) =>
      consumerGroups.find((c) => c.consumerGroup === name)?.members;
    const seen = await until('a member', a, (r) => membersOf(r, 'billing') === 1, 30_000);
    expect(membersOf(seen, 'shipping')).toBe(0);
    await consumer.disconnect();
  });

  it('measures the flow into b: records behind, connectors, heartbeats, and what its settings mean', async () => {
    await send(60);
    const round = await until(
      'no lag and a heartbeat',
      b,
      (r) => {
        const facts = r.flows[0]?.facts;
        return (
          facts?.lagRecords === 0 &&
          facts.heartbeatAgeMs !== null &&
          facts.perPartition.every((p) => (p.replicated ?? 0) > 0)
        );
      },
      40_000,
    );
    expect(round.flows[0]).toMatchObject({
      group: 'orders',
      facts: { from: 'a', to: 'b', sourceConnector: 'RUNNING', checkpointConnector: 'RUNNING' },
    });
    expect(round.flows[0]?.facts.perPartition).toHaveLength(6);
    expect(round.flowSettings[0]?.facts).toMatchObject({
      from: 'a',
      to: 'b',
      syncsTopicAcls: false,
      excludesMaxMessageBytes: true,
      foreignTopics: [],
      connectorConfig: { 'offset-syncs.topic.location': 'target', 'emit.checkpoints.interval.seconds': '1' },
    });
    expect(round.fences[0]?.facts.state).toBe('open');
  });
});

describe('a broker in trouble', () => {
  it('that is frozen accepts connections and is still silent: one deadline, nothing else hidden', async () => {
    await lab.freeze({ broker: ['a', 2] });
    try {
      // A healthy broker of a busy machine may miss a deadline in one round; the frozen one misses it in each.
      const { sample, tookMs } = await waitFor(
        'the healthy brokers to answer in one round',
        async () => {
          const startedAtMs = monotonicMs();
          const round = await a.sample();
          const others = round.sample.brokers.filter((x) => x.brokerId !== 2);
          if (others.some((x) => x.error !== null) || round.sample.hotStandby === null) return undefined;
          return { ...round, tookMs: monotonicMs() - startedAtMs };
        },
        { timeoutMs: 20_000, pollMs: 50 },
      );
      expect(sample.brokers.map((x) => x.error)).toEqual([null, 'deadline', null]);
      expect(tookMs).toBeLessThan(5 * TIMEOUT_MS);
      expect(sample.activeBrokers).not.toBeNull();
      expect(sample.hotStandby?.total).toBe(6);
    } finally {
      await lab.thaw({ broker: ['a', 2] });
    }
    await until('all answer again', a, (r) => r.sample.brokers.every((x) => x.error === null));
  });

  it('that is killed refuses, stays expected, and its partitions find new leaders', async () => {
    await lab.kill({ broker: ['a', 3] });
    // The very first round may still see the old connection being reset.
    const first = await until('a refusal', a, (r) => r.sample.brokers[2]?.error === 'refused');
    expect(first.sample.brokers.map((x) => x.error)).toEqual([null, null, 'refused']);
    const later = await until('the broker to leave the list', a, (r) => r.sample.activeBrokers === 2);
    expect(later.sample).toMatchObject({
      expectedBrokers: 3,
      hotStandby: { total: 6, offline: 0, underReplicated: 6 },
    });
    await until(
      'canaries by the new leaders',
      a,
      (r) => r.sample.canaries.length === 2 && r.sample.canaries.every((c) => c.ok),
    );
  });

  it('and when the whole cluster is gone every broker refuses, and what was known only ages', async () => {
    await lab.kill({ cluster: 'a' });
    const dead = await until('all refuse', a, (r) => r.sample.brokers.every((x) => x.error === 'refused'));
    expect(dead.sample).toMatchObject({
      expectedBrokers: 3,
      activeBrokers: null,
      quorumLeader: null,
      hotStandby: null,
      endOffsetsAdvanced: null,
    });
    const { flows } = await b.sample();
    expect(flows[0]?.facts.lagRecords).toBe(0);
    expect(flows[0]?.facts.sourceConnector).toBe('RUNNING'); // it says nothing of the flow's health
    expect(flows[0]?.facts.perPartition[0]?.sourceEndAgeMs).toBeGreaterThan(0);
  });
});
