import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSwitchingKafka } from '#client';
import { checkTopic, type ClusterGoal, type FenceKind } from '#failover';
import { labPassword, startLab, type Lab } from '#lab';
import { MemoryConfigCenterServer } from '#testing';
import { AgentHands } from '../../apps/agent/src/hands/index.js';
import { aclEntries } from '../../tools/lab/acls.js';
import { saslClientProperties } from '../../tools/lab/sasl.js';
import { ensureKafkaJars, ensureLibrdkafka, runCommand } from '../../tools/setup/index.js';

// What an application prints that writes to a fenced cluster: docs/fences.md shows it.
const RUN_MS = 60_000;
let lab: Lab;
let hands: AgentHands;
let servers = '';

const LIBRDKAFKA = `
import sys
from confluent_kafka import Producer
def told(error, message):
    print('delivered' if error is None else f'{error.name()} code {error.code()} retriable {error.retriable()}: {error.str()}')
p = Producer({'bootstrap.servers': sys.argv[1], 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'PLAIN',
              'sasl.username': 'app', 'sasl.password': sys.argv[2], 'enable.idempotence': True})
p.produce('orders', b'stray', on_delivery=told)
p.flush(20)
`;

const asApp = () => ({
  brokers: servers.split(','),
  sasl: { mechanism: 'plain' as const, username: 'app', password: labPassword('app') },
  logLevel: kafkajs.logLevel.NOTHING,
});

async function byKafkajs(): Promise<string> {
  const client = new kafkajs.Kafka(asApp());
  const producer = client.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    await producer.send({ topic: 'orders', messages: [{ value: 'stray' }] });
    return 'delivered';
  } catch (error) {
    if (!(error instanceof kafkajs.KafkaJSProtocolError)) throw error;
    return `${error.name} ${error.type} code ${error.code} retriable ${String(error.retriable)}: ${error.message}`;
  } finally {
    await producer.disconnect();
  }
}

async function byLibrdkafka(): Promise<string> {
  const python = await ensureLibrdkafka();
  const ran = await runCommand(python, ['-c', LIBRDKAFKA, servers, labPassword('app')], { timeoutMs: RUN_MS });
  return ran.stdout.trim() || ran.stderr;
}

async function byConsole(): Promise<string> {
  const jars = await ensureKafkaJars('4.3');
  const file = join(lab.dir, 'app.properties');
  await writeFile(
    file,
    Object.entries(saslClientProperties('app'))
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const tool = `exec java -Xmx128m -XX:TieredStopAtLevel=1 -cp '${join(jars, '*')}' org.apache.kafka.tools.ConsoleProducer`;
  const args = `--bootstrap-server ${servers} --topic orders --command-config ${file}`;
  const ran = await runCommand('sh', ['-c', `echo stray | ${tool} ${args}`], { timeoutMs: RUN_MS });
  const lines = `${ran.stdout}${ran.stderr}`.split('\n');
  return lines.filter((line) => /ErrorLoggingCallback|^org\.apache\.kafka\.common\.errors/.test(line)).join('\n');
}

async function bring(state: ClusterGoal['state'], kinds: readonly FenceKind[]): Promise<void> {
  const topics = ['orders', checkTopic('shop')];
  const goal: ClusterGoal = {
    subject: 'cluster',
    group: 'shop',
    cluster: 'a',
    state,
    epoch: 1,
    term: 1,
    topics,
    kinds,
  };
  expect(await hands.apply(goal, AbortSignal.timeout(30_000))).toMatchObject({ reached: true });
}

beforeAll(async () => {
  await ensureLibrdkafka();
  lab = await startLab({ clusters: { a: { brokers: 1 } }, connect: false, postgres: false, security: 'sasl' });
  await lab.createTopic('a', { name: 'orders', partitions: 1 });
  servers = lab.bootstrapServers('a', 'a').join(',');
  const sasl = (username: 'agent' | 'app') =>
    ({
      protocol: 'SASL_PLAINTEXT',
      sasl: { mechanism: 'PLAIN', username, password: labPassword(username) },
      tls: null,
    }) as const;
  hands = new AgentHands({
    agent: { id: 'agent-a', idc: 'a', dataDir: join(lab.dir, 'agent-a') },
    logLevel: 'info',
    controllers: [],
    tls: null,
    http: null,
    probe: { periodMs: 1_000, timeoutMs: 1_000, failures: 3 },
    referenceTargets: [],
    clusters: [
      {
        name: 'a',
        idc: 'a',
        bootstrapServers: lab.bootstrapServers('a', 'a'),
        security: sasl('agent'),
        ordinary: { security: sasl('app') },
        connectUrl: null,
        fence: { exempt: ['User:mm2'], hook: null },
      },
    ],
  });
}, 900_000);

afterAll(async () => {
  await hands?.close();
  await lab?.close();
});

describe.each([
  ['acl', /TOPIC_AUTHORIZATION_FAILED/, /TopicAuthorizationException/],
  ['topic-config', /MESSAGE_TOO_LARGE|MSG_SIZE_TOO_LARGE/, /RecordTooLargeException/],
] as const)('a plain client at a cluster fenced by %s', (kind, code, exception) => {
  it('is refused, for good, with an error that says why', async () => {
    await bring('fenced', [kind]);
    const said = { kafkajs: await byKafkajs(), librdkafka: await byLibrdkafka(), console: await byConsole() };
    process.stderr.write(`${kind}: ${JSON.stringify(said, null, 2)}\n`);
    await bring('open', []);
    expect(said.kafkajs).toMatch(code);
    expect(said.librdkafka).toMatch(code);
    expect(said.console).toMatch(exception);
    expect(await byKafkajs()).toBe('delivered');
  }, 240_000);
});

/** Follows a pointer to `a`, in a config center of its own. */
function wrapped() {
  const server = new MemoryConfigCenterServer();
  server.overwrite({
    ...{ version: 1, group: 'shop', activeCluster: 'a', mode: 'ACTIVE', epoch: 1, term: 1, sagaId: null },
    ...{ bootstrapServers: servers.split(','), publishedAt: new Date().toISOString() },
  });
  return createSwitchingKafka({ group: 'shop', pointers: server.open(), clusters: { a: asApp() } });
}

describe('a wrapped client that may not see one of its topics any more', () => {
  it('keeps the records of that topic until it may; its others go on', async () => {
    for (const name of ['hidden', 'later']) await lab.createTopic('a', { name, partitions: 1 });
    const permissionType = kafkajs.AclPermissionTypes.DENY;
    const hidden = aclEntries({ user: 'app', resource: 'topic', name: 'hidden', operations: ['DESCRIBE', 'WRITE'] });
    const denied = hidden.map((entry) => ({ ...entry, permissionType }));
    const admin = lab.kafka('a').admin();
    await admin.connect();
    const kafka = wrapped();
    const blocked: string[] = [];
    kafka.on('blocked', ({ topic, reason }) => void blocked.push(`${topic}: ${reason}`));
    const producer = kafka.producer();
    const send = (topic: string) => producer.send({ topic, messages: [{ value: 'stray' }] });
    try {
      await Promise.all([send('orders'), send('hidden')]);
      await admin.createAcls({ acl: denied });
      const kept: ReturnType<typeof send>[] = []; // the broker takes a moment to know it
      const told = () => {
        kept.push(send('hidden'));
        return blocked;
      };
      await expect.poll(told, { timeout: 10_000, interval: 200 }).toContain('hidden: fenced');
      // Of a topic that is new to it, kafkajs asks for the metadata of all.
      expect(await Promise.all([send('later'), send('orders')])).toMatchObject([{ cluster: 'a' }, { cluster: 'a' }]);
      expect(new Set(blocked.filter((b) => b.endsWith('fenced')))).toEqual(new Set(['hidden: fenced']));
      await admin.deleteAcls({ filters: denied });
      expect((await Promise.all(kept)).every((outcome) => outcome.cluster === 'a')).toBe(true);
    } finally {
      await kafka.close();
      await admin.disconnect();
    }
  }, 60_000);
});
