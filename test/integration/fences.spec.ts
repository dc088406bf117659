import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import kafkajs, { type Admin, type Consumer, type Kafka, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTopic, type ClusterGoal, type FenceKind, type GoalStatus } from '#failover';
import { monotonicMs, PlatformaticHands, type AclChange } from '#kafka';
import { labPassword, startLab, waitFor, type Lab, type LabUser } from '#lab';
import type { AgentClusterConfig, AgentConfig, KafkaSecurity } from '../../apps/agent/src/config/agent-config.js';
import { AgentHands } from '../../apps/agent/src/hands/index.js';
import { createClusterProbe, createSelfMonitor, EndOffsetBoard } from '../../apps/agent/src/probes/index.js';
import { aclEntries } from '../../tools/lab/acls.js';

// Fences 1 and 3 on real authorizers: what they end, what goes on, and what is said when somebody else touches them.
const CALL_MS = 5_000;
const GROUP = 'shop';
const TOPICS = ['orders', 'pay-*'];
/** The protocol's name of a refusal, however kafkajs has wrapped it. */
function typeOf(error: Error): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof kafkajs.KafkaJSProtocolError) return cause.type;
  return String(error);
}
const within = (): AbortSignal => AbortSignal.timeout(30_000);
const login = (username: LabUser): KafkaSecurity => ({
  protocol: 'SASL_PLAINTEXT',
  sasl: { mechanism: 'PLAIN', username, password: labPassword(username) },
  tls: null,
});

describe.each(['4.3', '3.9'] as const)('fences on Kafka %s', (version) => {
  let lab: Lab;
  let root: PlatformaticHands; // a super user, as an administrator has it
  let admin: Admin;
  let hands: AgentHands;
  let feeder: Producer; // an application on a
  let writer: Producer; // an application that wrongly writes on b; one connection over all tests
  const opened: { disconnect(): Promise<void> }[] = [];

  function clusterOf(name: 'a' | 'b', exempt: readonly string[] | null, ordinary: LabUser): AgentClusterConfig {
    const closed = JSON.stringify(join(lab.dir, `closed-${name}`));
    const node = (code: string): readonly string[] => [process.execPath, '-e', code];
    return {
      name,
      idc: name,
      bootstrapServers: lab.bootstrapServers(name, 'b'),
      security: login('agent'),
      ordinary: { security: login(ordinary) },
      connectUrl: null,
      fence: {
        exempt,
        hook: {
          fence: node(`fs.writeFileSync(${closed}, process.env.POINTSMAN_EPOCH)`),
          open: node(`fs.rmSync(${closed})`),
          check: node(`process.exit(fs.existsSync(${closed}) ? 0 : 1)`),
          timeoutMs: 10_000,
          perGroup: true,
        },
      },
    };
  }

  const configOf = (disk: string, exempt: readonly string[] | null, ordinary: LabUser = 'app'): AgentConfig => ({
    agent: { id: 'agent-b', idc: 'b', dataDir: join(lab.dir, disk) },
    logLevel: 'info',
    controllers: [],
    tls: null,
    http: null,
    probe: { periodMs: 1_000, timeoutMs: 2_000, failures: 3 },
    referenceTargets: [],
    clusters: [clusterOf('b', exempt, ordinary)],
  });

  const goal = (state: ClusterGoal['state'], kinds?: readonly FenceKind[], epoch = 7): ClusterGoal => ({
    subject: 'cluster',
    group: GROUP,
    cluster: 'b',
    state,
    epoch,
    term: 1,
    topics: [...TOPICS, checkTopic(GROUP)],
    ...(kinds === undefined ? {} : { kinds }),
  });
  const apply = (wanted: ClusterGoal): Promise<GoalStatus> => hands.apply(wanted, within());

  const kafkaAs = (user: LabUser): Kafka =>
    new kafkajs.Kafka({
      clientId: `fences-${user}`,
      brokers: [...lab.bootstrapServers('b', 'b')],
      sasl: { mechanism: 'plain', username: user, password: labPassword(user) },
      retry: { retries: 0 },
      logLevel: kafkajs.logLevel.NOTHING,
    });

  async function producerAs(user: LabUser): Promise<Producer> {
    const producer = kafkaAs(user).producer({ allowAutoTopicCreation: false });
    await producer.connect();
    opened.push(producer);
    return producer;
  }

  /** `accepted`, or the protocol's name of the refusal. */
  const write = (producer: Producer, topic = 'orders'): Promise<string> =>
    producer.send({ topic, messages: [{ value: 'stray', partition: 0 }] }).then(
      () => 'accepted',
      (error: unknown) => (error instanceof kafkajs.KafkaJSProtocolError ? error.type : String(error)),
    );

  async function ordinaryWrite(): Promise<number | null | string> {
    const body = { kind: 'canary', cluster: 'b', topic: checkTopic(GROUP), principal: 'ordinary' } as const;
    const command = { id: '1', term: 1, epoch: 7, group: GROUP, deadlineMs: CALL_MS, body };
    const result = await hands.run(command, within());
    return result.ok && result.output.kind === 'canary' ? result.output.errorCode : JSON.stringify(result);
  }

  async function copied(): Promise<void> {
    const marks = { topic: 'orders', messages: [{ value: 'from a', partition: 0 }] };
    const ends = (): Promise<number> =>
      root.offsets(['orders'], 'end', CALL_MS).then((list) => list.reduce((sum, o) => sum + o.offset, 0));
    const before = await ends();
    await feeder.send(marks);
    await waitFor('MirrorMaker copies', async () => ((await ends()) > before ? true : undefined), {
      timeoutMs: 30_000,
    });
  }

  const denial = (name: string, principal: string): AclChange => ({
    resource: 'topic',
    name,
    pattern: 'literal',
    principal,
    host: '*',
    operation: 'write',
    permission: 'deny',
  });

  beforeAll(async () => {
    lab = await startLab({
      clusters: { a: { brokers: 1, version }, b: { brokers: 1, version } },
      postgres: false,
      security: 'sasl',
    });
    for (const name of ['a', 'b'] as const) {
      await lab.createTopic(name, { name: 'orders', partitions: 2 });
      await lab.createTopic(name, { name: 'pay-card', partitions: 1 });
    }
    await lab.createFlow({ from: 'a', to: 'b', topics: TOPICS, consumerGroups: ['billing'], state: 'RUNNING' });
    const connection = { clientId: 'root', bootstrapServers: lab.bootstrapServers('b', 'b') };
    root = new PlatformaticHands({ ...connection, security: login('admin') });
    admin = lab.kafka('b').admin();
    await admin.connect();
    hands = new AgentHands(configOf('agent-b', ['User:mm2']));
    feeder = lab.kafka('a').producer();
    await feeder.connect();
    writer = await producerAs('app');
    await copied();
  });

  afterAll(async () => {
    for (const client of [...opened, feeder, admin]) await client?.disconnect();
    await hands?.close();
    root?.close();
    await lab?.close();
  });

  it('are offered as what the cluster was found to have', async () => {
    const config = configOf('agent-b', ['User:mm2']);
    const [cluster] = config.clusters;
    if (cluster === undefined) throw new Error('no cluster');
    const self = createSelfMonitor(config, monotonicMs);
    const probe = createClusterProbe(cluster, { config, clock: monotonicMs, self, board: new EndOffsetBoard() });
    probe.setWatch(
      [
        {
          name: GROUP,
          clusters: ['a', 'b'],
          topics: TOPICS,
          consumerGroups: [],
          principals: ['User:app'],
          flows: [],
          active: 'a',
          epoch: 1,
        },
      ],
      'b',
    );
    const look = async () => (await probe.sample()).clusterSettings?.fencing;
    const fencing = await waitFor('what the cluster offers', look, { timeoutMs: 20_000 });
    await probe.close();
    await self.close();
    expect(fencing).toMatchObject({ authorizer: true, writers: ['User:app'] });
    expect(fencing.offers[0]).toEqual({ kind: 'acl', usable: true, reason: 'denies User:*' });
  });

  it('by ACL end the writes of a connection that is open; consumers and MirrorMaker go on', async () => {
    expect(await write(writer)).toBe('accepted');
    const startedAtMs = monotonicMs();
    const status = await apply(goal('fenced', ['acl', 'hook']));
    const tookMs = Math.round(monotonicMs() - startedAtMs);
    expect(status).toMatchObject({ reached: true, observed: 'fenced', kind: 'acl' });
    expect(await write(writer)).toBe('TOPIC_AUTHORIZATION_FAILED');
    expect(await write(writer, 'pay-card')).toBe('TOPIC_AUTHORIZATION_FAILED');
    expect(await ordinaryWrite()).toBe(29);
    await copied();
    const consumer: Consumer = kafkaAs('app').consumer({ groupId: 'reader', retry: { retries: 5 } });
    opened.push(consumer);
    await consumer.connect();
    await consumer.subscribe({ topic: 'orders', fromBeginning: true });
    let read = 0;
    await consumer.run({
      eachMessage: () => {
        read += 1;
        return Promise.resolve();
      },
    });
    await waitFor('a consumer reads', () => Promise.resolve(read > 0 ? read : undefined), { timeoutMs: 30_000 });
    process.stderr.write(`fence by ACL on ${version}: placed and read back in ${tookMs} ms\n`);
  });

  it('by ACL also close a topic that is made later, before anybody can write to it', async () => {
    await lab.createTopic('b', { name: 'pay-new', partitions: 1 });
    expect(await write(writer, 'pay-new')).toBe('TOPIC_AUTHORIZATION_FAILED');
  });

  it('are put back when somebody removed them, and it is said', async () => {
    await root.acls.remove([denial('orders', 'User:*')], CALL_MS);
    await waitFor('the hole', async () => ((await write(writer)) === 'accepted' ? true : undefined), {
      timeoutMs: 10_000,
    });
    const status = await apply(goal('fenced', ['acl', 'hook']));
    expect(status).toMatchObject({ reached: true, kind: 'acl', detail: expect.stringContaining('had been removed') });
    expect(await write(writer)).toBe('TOPIC_AUTHORIZATION_FAILED');
  });

  it('are lifted by an agent that lost its disk, and leave what somebody else denied', async () => {
    await root.acls.create([denial('pay-card', 'User:*'), denial('orders', 'User:bob')], CALL_MS);
    const fresh = new AgentHands(configOf('another-disk', ['User:mm2']));
    try {
      const status = await fresh.apply(goal('open'), within());
      expect(status).toMatchObject({ reached: false, observed: 'foreign' });
      const left = (await root.acls.list({ resource: 'topic', permission: 'deny' }, CALL_MS)) ?? [];
      expect(left.map((e) => `${e.principal} ${e.name}`).toSorted()).toEqual(['User:* pay-card', 'User:bob orders']);
    } finally {
      await fresh.close();
      await root.acls.remove([denial('pay-card', 'User:*'), denial('orders', 'User:bob')], CALL_MS);
    }
    expect(await write(writer)).toBe('accepted');
  });

  it('of somebody else are reported, and never lifted', async () => {
    await root.acls.create([denial('orders', 'User:*')], CALL_MS);
    const closed = await apply(goal('open'));
    expect(closed).toMatchObject({
      reached: false,
      observed: 'foreign',
      detail: expect.stringContaining('somebody else'),
    });
    expect(await write(writer)).toBe('TOPIC_AUTHORIZATION_FAILED');
    await root.acls.remove([denial('orders', 'User:*')], CALL_MS);
    expect(await apply(goal('open'))).toMatchObject({ reached: true, observed: 'open' });
    expect(await write(writer)).toBe('accepted');
  });

  it('are exchanged without a gap before a flow may write again', async () => {
    const byConfig = await apply(goal('fenced', ['topic-config']));
    expect(byConfig).toMatchObject({ reached: true, kind: 'topic-config' });
    expect(await write(writer)).toBe('MESSAGE_TOO_LARGE');
    let gaps = 0;
    let exchanging = true;
    const watcher = (async () => {
      while (exchanging) if ((await write(writer)) === 'accepted') gaps += 1;
    })();
    const exchanged = await apply(goal('fenced', ['acl', 'hook'], 8));
    exchanging = false;
    await watcher;
    expect(exchanged).toMatchObject({ reached: true, kind: 'acl' });
    expect(gaps).toBe(0);
    expect(await write(writer)).toBe('TOPIC_AUTHORIZATION_FAILED');
    await copied();
    expect(await apply(goal('open'))).toMatchObject({ reached: true });
  });

  /** A consumer of an application; `refused`: the protocol's name of what ended it. */
  async function memberOf(groupId: string): Promise<Readonly<{ joined: Promise<void>; refused: Promise<string> }>> {
    const consumer = kafkaAs('app').consumer({ groupId, heartbeatInterval: 500, retry: { retries: 0 } });
    opened.push(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics: ['orders'] });
    const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
    const refused = new Promise<string>((resolve) =>
      consumer.on(consumer.events.CRASH, ({ payload }) => resolve(typeOf(payload.error))),
    );
    await consumer.run({ eachMessage: () => Promise.resolve() });
    return { joined, refused };
  }

  it('by ACL refuse the consumer groups that stayed behind: their members, and whoever joins; agent and MirrorMaker go on', async () => {
    const ofBob: AclChange = { ...denial('billing', 'User:bob'), resource: 'group', operation: 'read' };
    await root.acls.create([ofBob], CALL_MS);
    const member = await memberOf('billing');
    await member.joined;
    const status = await apply({ ...goal('fenced', ['acl', 'hook'], 11), deniedGroups: ['billing', 'audit'] });
    expect(status).toMatchObject({
      ...{ reached: true, kind: 'acl', deniedGroups: ['billing', 'audit'] },
      detail: expect.stringContaining('2 of 2 consumer groups refused to User:app'),
    });
    expect(await member.refused).toBe('GROUP_AUTHORIZATION_FAILED');
    expect(await (await memberOf('audit')).refused).toBe('GROUP_AUTHORIZATION_FAILED');
    await (
      await memberOf('reporting')
    ).joined;
    await copied();
    const offsets = [{ topic: 'orders', partition: 0, offset: 0 }];
    const body = { kind: 'apply_group_offsets', cluster: 'b', group: 'audit', offsets } as const;
    const command = { id: '2', term: 1, epoch: 11, group: GROUP, deadlineMs: CALL_MS, body };
    expect(await hands.run(command, within())).toMatchObject({ ok: true, output: { outcome: 'applied' } });

    const fresh = new AgentHands(configOf('third-disk', ['User:mm2']));
    try {
      expect(await fresh.apply(goal('open', undefined, 12), within())).toMatchObject({
        reached: true,
        observed: 'open',
      });
    } finally {
      await fresh.close();
    }
    const left = (await root.acls.list({ resource: 'group', permission: 'deny' }, CALL_MS)) ?? [];
    expect(left.map((e) => `${e.principal} ${e.name}`)).toEqual(['User:bob billing']);
    await root.acls.remove([ofBob], CALL_MS);
    await (
      await memberOf('audit')
    ).joined;
  });

  it('deny each writer by name where an exempt one is no super user', async () => {
    const mayWrite = { user: 'app2', resource: 'topic', name: '*', operations: ['WRITE', 'DESCRIBE'] } as const;
    await admin.createAcls({ acl: aclEntries(mayWrite) });
    const named = new AgentHands(configOf('named', ['User:app'], 'app2'));
    try {
      const other = await producerAs('app2');
      const status = await named.apply(goal('fenced', ['acl']), within());
      expect(status).toMatchObject({ reached: true, kind: 'acl', detail: expect.stringContaining('User:app2') });
      expect(await write(other)).toBe('TOPIC_AUTHORIZATION_FAILED');
      expect(await write(writer)).toBe('accepted');
      expect(await named.apply(goal('open'), within())).toMatchObject({ reached: true });
      expect(await write(other)).toBe('accepted');
    } finally {
      await named.close();
    }
  });

  it('by the hook are the hook’s word, with the epoch it was told', async () => {
    expect(await apply(goal('fenced', ['hook']))).toMatchObject({ reached: true, kind: 'hook' });
    const both = await apply(goal('fenced', ['acl'], 9));
    expect(both).toMatchObject({ reached: true, kind: 'acl' });
    await expect(rm(join(lab.dir, 'closed-b'))).rejects.toThrow('ENOENT'); // lifted in the exchange
    expect(await apply(goal('open'))).toMatchObject({ reached: true });
  });

  it('by ACL are not used where nobody said who is exempt', async () => {
    const silent = new AgentHands(configOf('silent', null));
    try {
      const status = await silent.apply(goal('fenced', ['acl']), within());
      expect(status).toMatchObject({ reached: false, detail: expect.stringContaining('fence.exempt') });
    } finally {
      await silent.close();
    }
  });
});
