import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTopic, type CommandBody } from '#failover';
import { monotonicMs } from '#kafka';
import { labPassword, startLab, waitFor, type Lab, type LabUser } from '#lab';
import type { AgentClusterConfig, AgentConfig, KafkaSecurity } from '../../apps/agent/src/config/agent-config.js';
import { AgentHands } from '../../apps/agent/src/hands/index.js';
import { createClusterProbe, createSelfMonitor, EndOffsetBoard } from '../../apps/agent/src/probes/index.js';
import type { SelfMonitor } from '../../apps/agent/src/ports.js';

// One broker with SASL and an authorizer: the agent logs in by SCRAM, an ordinary producer by PLAIN.
const group = {
  name: 'shop',
  clusters: ['a'],
  topics: ['orders'],
  consumerGroups: [],
  principals: ['User:app'],
  flows: [],
  active: 'a',
  epoch: 1,
};
let lab: Lab;
let self: SelfMonitor;

const login = (
  mechanism: 'PLAIN' | 'SCRAM-SHA-256',
  username: LabUser,
  password = labPassword(username),
): KafkaSecurity => ({
  protocol: 'SASL_PLAINTEXT',
  sasl: { mechanism, username, password },
  tls: null,
});

function configOf(security: KafkaSecurity): { config: AgentConfig; cluster: AgentClusterConfig } {
  const cluster: AgentClusterConfig = {
    name: 'a',
    idc: 'a',
    bootstrapServers: lab.bootstrapServers('a', 'a'),
    security,
    ordinary: { security: login('PLAIN', 'app') },
    connectUrl: null,
  };
  const config: AgentConfig = {
    agent: { id: 'agent-a', idc: 'a', dataDir: `${lab.dir}/agent-a` },
    logLevel: 'info',
    controllers: [],
    tls: null,
    http: null,
    probe: { periodMs: 1_000, timeoutMs: 1_000, failures: 3 },
    referenceTargets: [],
    clusters: [cluster],
  };
  return { config, cluster };
}

function probeAs(security: KafkaSecurity) {
  const { config, cluster } = configOf(security);
  const probe = createClusterProbe(cluster, { config, clock: monotonicMs, self, board: new EndOffsetBoard() });
  probe.setWatch([group], 'a');
  return probe;
}

const ANY_HOST = '*';
const allow = (user: LabUser, resourceType: AclResourceTypes, resourceName: string, operation: AclOperationTypes) => ({
  resourceType,
  resourceName,
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal: `User:${user}`,
  host: ANY_HOST,
  operation,
  permissionType: AclPermissionTypes.ALLOW,
});

beforeAll(async () => {
  lab = await startLab({ clusters: { a: { brokers: 1 } }, connect: false, postgres: false, security: 'sasl' });
  await lab.createTopic('a', { name: 'orders', partitions: 2 });
  const admin = lab.kafka('a').admin();
  await admin.connect();
  await admin.createAcls({
    acl: [
      allow('agent', AclResourceTypes.TOPIC, '*', AclOperationTypes.ALL),
      allow('agent', AclResourceTypes.CLUSTER, 'kafka-cluster', AclOperationTypes.ALL),
      allow('agent', AclResourceTypes.GROUP, '*', AclOperationTypes.ALL),
      allow('app', AclResourceTypes.TOPIC, checkTopic('shop'), AclOperationTypes.WRITE),
      {
        ...allow('app', AclResourceTypes.TOPIC, 'orders', AclOperationTypes.WRITE),
        permissionType: AclPermissionTypes.DENY,
      },
    ],
  });
  await admin.disconnect();
  const { config } = configOf(login('PLAIN', 'agent'));
  self = createSelfMonitor(config, monotonicMs);
});

afterAll(async () => {
  await self?.close();
  await lab?.close();
});

describe('a cluster with SASL and an authorizer', () => {
  it.each(['PLAIN', 'SCRAM-SHA-256'] as const)('is probed whole by %s', async (mechanism) => {
    const probe = probeAs(login(mechanism, 'agent'));
    const { sample } = await waitFor(
      'a canary',
      async () => {
        const round = await probe.sample();
        return round.sample.canaries.some((c) => c.ok) ? round : undefined;
      },
      { timeoutMs: 15_000 },
    );
    await probe.close();
    expect(sample.brokers.map((b) => b.error)).toEqual([null]);
    expect(sample).toMatchObject({ quorumLeader: 1, hotStandby: { total: 2, offline: 0 } });
  });

  it('shows a wrong password as what it is, never as silence', async () => {
    const probe = probeAs(login('SCRAM-SHA-256', 'agent', 'wrong'));
    const { sample } = await probe.sample();
    await probe.close();
    expect(sample.brokers.map((b) => b.error)).toEqual(['authentication']);
  });

  it('proves a fence with an ordinary principal, and tells its refusal from a missing right', async () => {
    const hands = new AgentHands(configOf(login('SCRAM-SHA-256', 'agent')).config);
    const run = async (topic: string) => {
      const body: CommandBody = { kind: 'canary', cluster: 'a', topic, principal: 'ordinary' };
      const result = await hands.run(
        { id: '1', term: 1, epoch: 1, group: 'shop', deadlineMs: 5_000, body },
        AbortSignal.timeout(5_000),
      );
      return result.ok && result.output.kind === 'canary' ? [result.output.accepted, result.output.errorCode] : result;
    };
    const goal = { subject: 'cluster', group: 'shop', cluster: 'a', epoch: 1, term: 1, topics: ['orders'] } as const;
    try {
      await expect(hands.apply({ ...goal, state: 'fenced' }, AbortSignal.timeout(10_000))).resolves.toMatchObject({
        reached: true,
      });
      expect(await run(checkTopic('shop'))).toEqual([false, 10]);
      await expect(hands.apply({ ...goal, state: 'open' }, AbortSignal.timeout(10_000))).resolves.toMatchObject({
        reached: true,
      });
      expect(await run(checkTopic('shop'))).toEqual([true, null]);
      expect(await run('orders')).toEqual([false, 29]);
    } finally {
      await hands.close();
    }
  });
});
