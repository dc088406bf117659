import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
  type AclEntry,
  type Admin,
} from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANARY_TOPIC, checkTopic, type CommandBody, type CommandOutput } from '#failover';
import { judgeSample } from '#health';
import { monotonicMs, PlatformaticEyes, PlatformaticHands } from '#kafka';
import { labPassword, startLab, waitFor, type Lab, type LabAllow, type LabUser } from '#lab';
import type { AgentClusterConfig, AgentConfig, KafkaSecurity } from '../../apps/agent/src/config/agent-config.js';
import { AgentHands } from '../../apps/agent/src/hands/index.js';
import { createClusterProbe, createSelfMonitor, EndOffsetBoard } from '../../apps/agent/src/probes/index.js';
import type { ProbeRound, SelfMonitor } from '../../apps/agent/src/ports.js';
import { aclEntries } from '../../tools/lab/acls.js';
import { documentedAllows } from '../docs/documented-acls.js';

// docs/kafka-permissions.md on a real authorizer: exactly its commands are granted, and each is needed.
const TOPICS = ['orders', 'pay-*'];
const CALL_MS = 3_000;
const REBUILD_MS = 6_000;
const HOT_PARTITIONS = 3;
const AUDIT_PARTITIONS = 40; // far more than all topics of Pointsman's own together
const CONNECTORS = { source: 'a-b-src', checkpoint: 'a-b-cp', heartbeat: 'a-b-hb' };
let lab: Lab;
let admin: Admin;
let self: SelfMonitor;
let checks = 0;

const login = (username: LabUser): KafkaSecurity => ({
  protocol: 'SASL_PLAINTEXT',
  sasl: { mechanism: 'PLAIN', username, password: labPassword(username) },
  tls: null,
});

function configOf(user: LabUser, idc: string): { config: AgentConfig; cluster: AgentClusterConfig } {
  const clusterOf = (name: 'a' | 'b'): AgentClusterConfig => ({
    ...{ name, idc: name, bootstrapServers: lab.bootstrapServers(name, 'a') },
    security: login(user),
    ordinary: { security: login('app') },
    connectUrl: null,
  });
  const cluster = clusterOf('a');
  const config: AgentConfig = {
    agent: { id: `agent-${idc}`, idc, dataDir: `${lab.dir}/agent-${idc}-${user}` },
    logLevel: 'info',
    controllers: [],
    tls: null,
    http: null,
    probe: { periodMs: 1_000, timeoutMs: 1_000, failures: 3 },
    referenceTargets: [],
    clusters: [cluster, clusterOf('b')],
  };
  return { config, cluster };
}

const watched = (name: string, active = 'a') => ({
  name,
  clusters: ['a', 'b'],
  topics: TOPICS,
  consumerGroups: ['billing'],
  principals: ['User:app'],
  flows: [],
  active,
  epoch: 1,
});

/** Two rounds: the settings of topics that the first one found are known in the second. */
async function roundsAs(user: LabUser, idc: string): Promise<ProbeRound> {
  const { config, cluster } = configOf(user, idc);
  const probe = createClusterProbe(cluster, { config, clock: monotonicMs, self, board: new EndOffsetBoard() });
  probe.setWatch([watched('shop')], 'a');
  try {
    await probe.sample();
    return await probe.sample();
  } finally {
    await probe.close();
  }
}

function probeComplaints({ sample, fences, clusterSettings }: ProbeRound): string[] {
  const said: string[] = [];
  if (sample.quorumLeader === null) said.push(`no quorum leader by ${sample.quorumError ?? 'nobody'}`);
  if (clusterSettings?.brokerSessionTimeoutMs == null) said.push('no session time-out');
  if (sample.hotStandby?.total !== HOT_PARTITIONS)
    said.push(`${sample.hotStandby?.total ?? 'no'} hot-standby partitions`);
  if ((sample.otherTopics?.total ?? 0) < AUDIT_PARTITIONS) said.push('other topics are not seen');
  if (fences[0]?.facts.state !== 'open') said.push(`fence ${fences[0]?.facts.state ?? 'not looked at'}`);
  if (sample.canaries.length === 0) said.push('no canary');
  for (const c of sample.canaries) if (!c.ok) said.push(`canary ${c.error ?? ''} ${c.errorCode ?? ''}`);
  const { outcome, reasons } = judgeSample(sample);
  return said.length === 0 && outcome === 'clean' ? [] : [`${outcome}: ${reasons.join(', ')}`, ...said];
}

/** What no round and no command shows at once: the probe's question about other topics, and a new broker's partition. */
async function rawComplaints(): Promise<string[]> {
  const connection = {
    clientId: 'permissions',
    bootstrapServers: lab.bootstrapServers('a', 'a'),
    security: login('agent'),
  };
  const eyes = new PlatformaticEyes(connection);
  const hands = new PlatformaticHands(connection);
  const said: string[] = [];
  try {
    const layout = await hands.layout(CALL_MS);
    const address = layout.brokers[0]?.address ?? '';
    const settings = await eyes.topicConfigs(address, ['audit'], ['min.insync.replicas'], CALL_MS);
    if (!settings.ok || !settings.value.has('audit')) said.push('settings of other topics are unknown');
    const partitions = layout.topics.get(CANARY_TOPIC)?.partitions.length ?? 0;
    await hands.addPartitions(CANARY_TOPIC, [[1]], partitions + 1, CALL_MS);
  } catch (error) {
    said.push(`no partition can be added: ${String(error)}`);
  } finally {
    eyes.close();
    hands.close();
  }
  return said;
}

async function handsComplaints(hands: AgentHands, group: string): Promise<string[]> {
  const said: string[] = [];
  const goal = { subject: 'cluster', group, cluster: 'a', epoch: 1, term: 1, topics: TOPICS } as const;
  const run = async (body: CommandBody): Promise<CommandOutput | null> => {
    const command = { id: '1', term: 1, epoch: 1, group, deadlineMs: CALL_MS, body };
    const result = await hands.run(command, AbortSignal.timeout(CALL_MS));
    if (result.ok) return result.output;
    said.push(`${body.kind}: ${result.detail}`);
    return null;
  };
  for (const state of ['fenced', 'open'] as const) {
    const status = await hands.apply({ ...goal, state }, AbortSignal.timeout(CALL_MS));
    if (!status.reached) said.push(`not ${state}: ${status.detail}`);
    if (status.detail.includes('epoch not recorded')) said.push(status.detail);
    for (const principal of ['ordinary', 'agent'] as const) {
      const output = await run({ kind: 'canary', cluster: 'a', topic: checkTopic(group), principal });
      const expected = state === 'fenced' ? 10 : null;
      if (output?.kind === 'canary' && output.errorCode !== expected)
        said.push(`${principal} write while ${state}: ${output.errorCode ?? 'accepted'}`);
    }
  }
  const epoch = await hands
    .newestEpoch('a', group, AbortSignal.timeout(CALL_MS))
    .catch((error: unknown) => String(error));
  if (typeof epoch === 'string' || epoch === null) said.push(`epoch: ${epoch ?? 'none'}`);
  await run({ kind: 'read_end_offsets', cluster: 'a', topics: TOPICS });
  await run({ kind: 'read_replication_position', from: 'b', to: 'a', connectors: CONNECTORS, topics: TOPICS });
  await run({ kind: 'read_group_offsets', cluster: 'a', groups: ['billing'], topics: TOPICS });
  const offsets = [
    { topic: 'orders', partition: 0, offset: 0 },
    { topic: 'pay-card', partition: 0, offset: 0 },
  ];
  const applied = await run({ kind: 'apply_group_offsets', cluster: 'a', group: 'billing', offsets });
  if (applied?.kind === 'applied' && (applied.outcome !== 'applied' || applied.offsets.length !== offsets.length))
    said.push(`${applied.outcome}, ${applied.offsets.length} read back`);
  return said;
}

/** The topics of a made anew after b's, and what was committed on them taken back. */
async function rebuildComplaints(hands: AgentHands, group: string): Promise<string[]> {
  const run = async (body: CommandBody) => {
    const command = { id: '1', term: 1, epoch: 1, group, deadlineMs: REBUILD_MS, body };
    const result = await hands.run(command, AbortSignal.timeout(REBUILD_MS));
    if (result.ok) return result.output;
    throw new Error(`${body.kind}: ${result.detail}`);
  };
  hands.setWatch([watched(group, 'b')]);
  try {
    const there = await run({ kind: 'describe_topics', cluster: 'a', topics: TOPICS });
    const known = new Map((there.kind === 'described_topics' ? there.topics : []).map((t) => [t.topic, t.id]));
    const topics = ['orders', 'pay-card'].map((topic) => ({ topic, id: known.get(topic) ?? null }));
    const done = await run({ kind: 'remake_topics', like: 'b', to: 'a', topics, consumerGroups: ['billing'] });
    if (done.kind !== 'topics_remade') return [`remake_topics: answered ${done.kind}`];
    if (done.obstacles.length > 0) return [`remake_topics: ${done.obstacles.join('; ')}`];
    return done.progress.finished ? [] : [`remake_topics: ${done.progress.done} of ${done.progress.total}`];
  } catch (error) {
    return [String(error)];
  } finally {
    hands.setWatch([]);
  }
}

/** Fence 1, by an agent that was told who is exempt. */
async function aclComplaints(group: string): Promise<string[]> {
  const { config, cluster } = configOf('agent', 'a');
  const clusters = [{ ...cluster, fence: { exempt: ['User:mm2'], hook: null } }];
  const hands = new AgentHands({ ...config, clusters });
  const goal = { subject: 'cluster', group, cluster: 'a', epoch: 1, term: 1, topics: TOPICS } as const;
  const said: string[] = [];
  try {
    const closed = await hands.apply({ ...goal, state: 'fenced', kinds: ['acl'] }, AbortSignal.timeout(CALL_MS));
    if (!closed.reached) said.push(`not fenced by ACL: ${closed.detail}`);
    const opened = await hands.apply({ ...goal, state: 'open' }, AbortSignal.timeout(CALL_MS));
    if (!opened.reached) said.push(`ACL fence not lifted: ${opened.detail}`);
  } finally {
    await hands.close();
  }
  return said;
}

/** Everything that an agent does to a cluster, once; empty: it can do all of it. */
async function complaintsOfAgent(rebuild: boolean): Promise<readonly string[]> {
  checks += 1;
  const hands = new AgentHands(configOf('agent', 'a').config);
  try {
    const rebuilt = rebuild ? await rebuildComplaints(hands, `shop${checks}`) : []; // first: the others want its topics
    const effects = await handsComplaints(hands, `shop${checks}`);
    const byAcl = await aclComplaints(`shop${checks}`);
    const probed = probeComplaints(await roundsAs('agent', 'a'));
    return [...rebuilt, ...probed, ...effects, ...byAcl, ...(await rawComplaints())];
  } finally {
    await hands.close();
  }
}

type Right = Readonly<{ name: string; entry: AclEntry }>;

const rightsIn = (allows: readonly LabAllow[]): readonly Right[] =>
  allows.flatMap((allow) =>
    aclEntries(allow).map((entry, i) => ({
      name: `${allow.user}: ${allow.resource} ${allow.name} ${allow.operations[i] ?? ''}`,
      entry,
    })),
  );

beforeAll(async () => {
  const clusters = { a: { brokers: 1 }, b: { brokers: 1 } } as const;
  lab = await startLab({ clusters, connect: false, postgres: false, security: 'sasl' });
  for (const cluster of ['a', 'b'] as const) {
    await lab.createTopic(cluster, { name: 'orders', partitions: 2 });
    await lab.createTopic(cluster, { name: 'pay-card', partitions: 1 });
  }
  await lab.createTopic('a', { name: 'audit', partitions: AUDIT_PARTITIONS });
  await lab.createTopic('a', { name: 'connect-offsets', partitions: 1, configs: { 'cleanup.policy': 'compact' } });
  const producer = lab.kafka('a').producer();
  await producer.connect();
  await producer.send({ topic: 'connect-offsets', messages: [{ key: '["x",{}]', value: '{}' }] });
  await producer.disconnect();
  admin = lab.kafka('a').admin();
  await admin.connect();
  const everything = {
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  };
  await admin.deleteAcls({ filters: [everything] });
  await admin.createAcls({ acl: documentedAllows().flatMap(aclEntries) });
  self = createSelfMonitor(configOf('agent', 'a').config, monotonicMs);
});

afterAll(async () => {
  await self?.close();
  await admin?.disconnect();
  await lab?.close();
});

const settled = (
  what: string,
  rebuild: boolean,
  holds: (said: readonly string[]) => boolean,
): Promise<readonly string[]> =>
  waitFor(
    what,
    async () => {
      const said = await complaintsOfAgent(rebuild);
      return holds(said) ? said : undefined;
    },
    { timeoutMs: 20_000 },
  );

/** What docs/kafka-permissions.md says is seen when a right is missing. */
const SEEN: Readonly<Record<string, RegExp>> = {
  'agent: cluster kafka-cluster DESCRIBE': /no quorum leader by authorization/,
  'agent: cluster kafka-cluster DESCRIBE_CONFIGS': /no session time-out/,
  'agent: cluster kafka-cluster ALTER': /not fenced by ACL: .*grant the agent Alter on the cluster/,
  'agent: topic * DESCRIBE': /other topics are not seen/,
  'agent: topic * DESCRIBE_CONFIGS': /settings of other topics are unknown/,
  'agent: topic pointsman-* CREATE': /not fenced: .*authorization \(code 29\)/,
  'agent: topic pointsman-* ALTER': /no partition can be added: .*authorization \(code 29\)/,
  'agent: topic pointsman-* ALTER_CONFIGS': /not fenced: .*authorization \(code 29\)/,
  'agent: topic pointsman-* READ': /misconfigured: .*authorization/,
  'agent: topic pointsman-* WRITE': /misconfigured: .*authorization/,
  'agent: topic connect-offsets READ': /read_replication_position: .*authorization \(code 29\)/,
  'agent: topic orders ALTER_CONFIGS': /not fenced: .*authorization \(code 29\)/,
  'agent: topic orders READ': /apply_group_offsets: .*authorization \(code 29\)/,
  'agent: topic pay-* ALTER_CONFIGS': /not fenced: .*authorization \(code 29\)/,
  'agent: topic pay-* READ': /apply_group_offsets: .*authorization \(code 29\)/,
  'agent: group billing READ': /read_group_offsets: .*authorization \(code 30\)/,
  'app: topic pointsman-check.* WRITE': /ordinary write while open: 29/,
  // Without Create topics are gone afterwards; the cases behind make them again.
  'agent: topic orders CREATE': /remake_topics: .*authorization \(code 29\)/,
  'agent: topic pay-* CREATE': /remake_topics: .*authorization \(code 29\)/,
  'agent: topic orders DELETE': /remake_topics: deleting topic .*authorization \(code 29\)/,
  'agent: topic pay-* DELETE': /remake_topics: deleting topic .*authorization \(code 29\)/,
  'agent: group billing DELETE': /remake_topics: .*authorization \(code 30\)/,
};
const OF_REBUILD = /CREATE$|DELETE$/;
/** Alter and Delete imply Describe: without the one the other must not be there either, or nothing is missing. */
const IMPLYING: Readonly<Record<string, readonly string[]>> = {
  'agent: cluster kafka-cluster DESCRIBE': ['agent: cluster kafka-cluster ALTER'],
  'agent: group billing READ': ['agent: group billing DELETE'],
};
const rights = rightsIn(documentedAllows());

describe('the rights of docs/kafka-permissions.md', () => {
  it('are enough for all that an agent does', async () => {
    expect(await settled('an agent without complaints', true, (said) => said.length === 0)).toEqual([]);
  });

  it('let a witness sample the cluster whole, and change nothing', async () => {
    const round = await roundsAs('witness', 'c');
    expect(probeComplaints(round)).toEqual([]);
    const hands = new AgentHands(configOf('witness', 'c').config);
    const goal = { subject: 'cluster', group: 'shop1', cluster: 'a', epoch: 2, term: 2, topics: TOPICS } as const;
    const status = await hands.apply({ ...goal, state: 'fenced' }, AbortSignal.timeout(CALL_MS));
    await hands.close();
    expect(status).toMatchObject({ reached: false, detail: expect.stringContaining('authorization (code 29)') });
  });

  it('are all looked at below', () => {
    expect(rights.map((r) => r.name).filter((name) => !name.startsWith('witness'))).toEqual(
      expect.arrayContaining(Object.keys(SEEN)),
    );
    expect(rights.filter((r) => !r.name.startsWith('witness')).length).toBe(Object.keys(SEEN).length);
  });

  it.each(Object.entries(SEEN))('are each needed, and a missing one is named: %s', async (name, seen) => {
    const right = rights.find((r) => r.name === name);
    if (right === undefined) throw new Error(`${name} is not in docs/kafka-permissions.md`);
    const implying = rights.filter((r) => IMPLYING[name]?.includes(r.name));
    const taken = [right, ...implying].map((r) => r.entry);
    await admin.deleteAcls({ filters: taken });
    try {
      const said = await settled(`a complaint ${String(seen)}`, OF_REBUILD.test(name), (list) =>
        list.some((text) => seen.test(text)),
      );
      // Never taken for a failure of the cluster: that would move traffic.
      expect(said.filter((text) => /^(unreachable|no_service)/.test(text))).toEqual([]);
    } finally {
      await admin.createAcls({ acl: taken });
    }
  });
});
