import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEDICATED_CONNECTORS, goalKey, type FlowGoal, type WatchGroup } from '#failover';
import { monotonicMs } from '#kafka';
import { startLab, startMirrorMaker, waitFor, type Lab } from '#lab';
import type { AgentConfig } from '../../apps/agent/src/config/agent-config.js';
import { AgentHands } from '../../apps/agent/src/hands/index.js';
import { OffsetKeeper } from '../../apps/agent/src/offsets/index.js';
import type { ClusterProbe, ProbeRound, SelfMonitor } from '../../apps/agent/src/ports.js';
import { createClusterProbe, createSelfMonitor, EndOffsetBoard } from '../../apps/agent/src/probes/index.js';

// A dedicated MirrorMaker process, no Connect worker anywhere: everything is read from the topics that it keeps on b.
const TIMEOUT_MS = 2_000;
const RECORDS = 200;
const dedicated = { naming: 'identity', connectors: DEDICATED_CONNECTORS, dedicated: true } as const;
const group: WatchGroup = {
  name: 'shop',
  clusters: ['a', 'b'],
  topics: ['orders'],
  consumerGroups: [],
  principals: [],
  flows: [
    { from: 'a', to: 'b', ...dedicated },
    { from: 'b', to: 'a', ...dedicated },
  ],
  active: 'a',
  epoch: 1,
};

let lab: Lab;
let self: SelfMonitor;
let probes: readonly ClusterProbe[] = [];
let keeper: OffsetKeeper;
let hands: AgentHands;

beforeAll(async () => {
  lab = await startLab({ clusters: { a: { brokers: 1 }, b: { brokers: 1 } }, postgres: false, connect: false });
  await lab.createTopic('a', { name: 'orders', partitions: 1 });
  await startMirrorMaker(lab, { from: 'a', to: 'b', topics: ['orders'], consumerGroups: [], state: 'RUNNING' });
  const config = configOf();
  self = createSelfMonitor(config, monotonicMs);
  const board = new EndOffsetBoard();
  probes = config.clusters.map((c) => createClusterProbe(c, { config, clock: monotonicMs, self, board }));
  for (const [i, probe] of probes.entries()) probe.setWatch([group], i === 0 ? 'a' : 'b');
  keeper = new OffsetKeeper({ config, board, clock: monotonicMs, onTrouble: () => undefined, everyMs: 500 });
  keeper.setWatch([group]);
  hands = new AgentHands(config, keeper);
  hands.setWatch([group]);
});

afterAll(async () => {
  await hands?.close();
  await keeper?.close();
  for (const probe of probes) await probe.close();
  await self?.close();
  await lab?.close();
});

const configOf = (): AgentConfig => ({
  agent: { id: 'agent-b', idc: 'b', dataDir: `${lab.dir}/agent-b` },
  logLevel: 'info',
  controllers: [],
  tls: null,
  http: null,
  probe: { periodMs: TIMEOUT_MS, timeoutMs: TIMEOUT_MS, failures: 3 },
  referenceTargets: [],
  clusters: (['a', 'b'] as const).map((name) => ({
    name,
    idc: name,
    bootstrapServers: lab.bootstrapServers(name, 'b'),
    security: { protocol: 'PLAINTEXT', sasl: null, tls: null } as const,
    ordinary: null,
    connectUrl: null,
  })),
});

async function send(count: number): Promise<void> {
  const producer = lab.kafka('a').producer();
  await producer.connect();
  await producer.send({ topic: 'orders', messages: Array.from({ length: count }, (_, i) => ({ value: `${i}` })) });
  await producer.disconnect();
}

/** The round of the cluster that the flow ends in; a's probe tells b's where the source's log ends. */
const until = (what: string, to: 'a' | 'b', holds: (round: ProbeRound) => boolean): Promise<ProbeRound> =>
  waitFor(
    what,
    async () => {
      const [a, b] = [await probes[0]?.sample(), await probes[1]?.sample()];
      const round = to === 'a' ? a : b;
      return round !== undefined && holds(round) ? round : undefined;
    },
    { timeoutMs: 90_000, pollMs: 500 },
  );

const factsOf = (round: ProbeRound) => round.flows[0]?.facts;

it('is seen: position, lag, states, heartbeats and settings of a process without any REST interface', async () => {
  await send(RECORDS);
  const round = await until('the copy to have caught up', 'b', (r) => {
    const facts = factsOf(r);
    return facts?.lagRecords === 0 && facts.perPartition[0]?.replicated === RECORDS && facts.heartbeatAgeMs !== null;
  });
  expect(factsOf(round)).toMatchObject({ sourceConnector: 'RUNNING', checkpointConnector: 'RUNNING' });
  const settled = await until('its settings', 'b', (r) => r.flowSettings[0]?.facts.connectorConfig !== undefined);
  expect(settled.flowSettings[0]?.facts).toMatchObject({
    syncsTopicAcls: false,
    excludesMaxMessageBytes: true,
    foreignTopics: [],
    connectorConfig: { 'offset-syncs.topic.location': 'target' },
  });
});

it('shows the direction that is not enabled as a stopped flow', async () => {
  const round = await until('b → a', 'a', (r) => factsOf(r)?.sourceConnector === 'STOPPED');
  expect(factsOf(round)?.checkpointConnector).toBe('STOPPED');
});

it('is followed: groups could be translated by its offset-syncs', async () => {
  const body = { kind: 'translate_group_offsets', from: 'a', to: 'b', naming: 'identity' } as const;
  await waitFor(
    'its syncs to be read',
    async () => {
      const { syncs } = await keeper.translate(
        { ...body, connectors: DEDICATED_CONNECTORS, consumerGroups: [], topics: ['orders'], frozen: [] },
        () => 5_000,
      );
      return syncs.noted > 0 ? true : undefined;
    },
    { timeoutMs: 30_000, pollMs: 500 },
  );
});

it('is not steered, and who asks is told what to do by hand', async () => {
  const goal: FlowGoal = {
    ...{ subject: 'flow', group: 'shop', from: 'a', to: 'b', state: 'stopped', epoch: 2, term: 1 },
    connectors: DEDICATED_CONNECTORS,
  };
  const status = await hands.apply(goal, AbortSignal.timeout(5_000));
  expect(status).toMatchObject({ key: goalKey(goal), reached: false, observed: 'unknown' });
  expect(status.detail).toMatch(/dedicated MirrorMaker process carries a → b: stop or start it by hand/);
});
