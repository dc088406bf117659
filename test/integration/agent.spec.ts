import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { checkTopic, type ClusterGoal, type Command } from '#failover';
import { checkoutRoot, type Lab, type LabIdc, startLab } from '#lab';
import { TestController } from './session-rig.js';

// The built agents of three IDCs on real Kafka, Connect and MM2; one controller's observation feature leads by decree.
const PERIOD_MS = 500;
const TIMEOUT_MS = 1_000;
const TERM = 3;
const topics = ['orders', checkTopic('orders')];

let lab: Lab;
let controller: TestController;
let metricsPort: number;

beforeAll(async () => {
  lab = await startLab({ postgres: false });
  for (const name of ['a', 'b'] as const) {
    await lab.createTopic(name, { name: checkTopic('orders'), partitions: 1 });
  }
  await lab.createTopic('a', { name: 'orders', partitions: 3 });
  await lab.createFlow({ from: 'a', to: 'b', topics: ['orders'], consumerGroups: ['billing'], state: 'RUNNING' });
  await lab.createFlow({ from: 'b', to: 'a', topics: ['orders'], consumerGroups: ['billing'], state: 'STOPPED' });
  controller = await TestController.start({ probe: { periodMs: PERIOD_MS, timeoutMs: TIMEOUT_MS } });
  controller.leadership.lead(TERM);
  metricsPort = await lab.freePort();
  for (const idc of ['a', 'b', 'c'] as const) await startAgent(idc);
});

afterAll(async () => {
  await lab?.close();
  await controller?.close();
});

async function startAgent(idc: LabIdc): Promise<void> {
  const file = join(lab.dir, `agent-${idc}.yaml`);
  const config = {
    kind: 'Agent',
    agent: { id: `agent-${idc}`, idc, dataDir: `data-${idc}` },
    controllers: [`127.0.0.1:${controller.port}`],
    plaintext: true,
    ...(idc === 'a' ? { http: { listen: `127.0.0.1:${metricsPort}` } } : {}),
    probe: { period: `${PERIOD_MS}ms`, timeout: `${TIMEOUT_MS}ms`, failures: 3 },
    clusters: (['a', 'b'] as const).map((name) => ({
      name,
      bootstrapServers: lab.bootstrapServers(name, idc),
      ordinary: { security: { protocol: 'PLAINTEXT' } },
      connectUrl: lab.connectUrl(name, idc),
    })),
  };
  await writeFile(file, stringify(config));
  lab.spawn({
    idc,
    name: `agent-${idc}`,
    command: process.execPath,
    args: [join(checkoutRoot(), 'dist/apps/agent/src/main.js'), '--config', file],
  });
}

const until = (what: () => void | Promise<void>, timeout = 30_000): Promise<void> =>
  vi.waitFor(what, { timeout, interval: 50 });

const build = () => controller.snapshots.build('orders', null);
const votes = (cluster: string) => Object.values(build().votes[cluster] ?? {}).map((v) => v.state);

async function send(count: number): Promise<void> {
  const producer = lab.kafka('a').producer({ retry: { retries: 0 } });
  await producer.connect();
  try {
    await producer.send({ topic: 'orders', messages: Array.from({ length: count }, (_, i) => ({ value: `v${i}` })) });
  } finally {
    await producer.disconnect();
  }
}

const goal = (state: ClusterGoal['state'], epoch: number): ClusterGoal => ({
  subject: 'cluster',
  group: 'orders',
  cluster: 'a',
  state,
  epoch,
  term: TERM,
  topics,
});

const reached = (state: ClusterGoal['state'], epoch: number, timeout?: number) =>
  until(() => {
    const status = controller.gateway.goalStatus('orders/cluster/a');
    expect(status).toMatchObject({ observed: state, reached: true, epoch });
  }, timeout);

describe('built agents on real clusters', () => {
  it('see both clusters up from every IDC, and the flow with its lag', async () => {
    await until(() => {
      expect(votes('a')).toEqual(['UP', 'UP', 'UP']);
      expect(votes('b')).toEqual(['UP', 'UP', 'UP']);
    });
    await send(30);
    await until(() => {
      const flow = build().flows[0];
      expect(flow).toMatchObject({ from: 'a', to: 'b', lagRecords: 0, sourceConnector: 'RUNNING' });
      expect(flow?.perPartition.reduce((sum, p) => sum + (p.sourceEnd ?? 0), 0)).toBe(30);
    });
    expect(build().clusterSettings['a']?.brokerSessionTimeoutMs).toBeGreaterThan(0);
  });

  it('publish their metrics and readiness', async () => {
    const get = async (path: string) => fetch(`http://127.0.0.1:${metricsPort}${path}`);
    expect((await get('/readyz')).status).toBe(200);
    const text = await (await get('/metrics')).text();
    for (const name of ['probe_duration_seconds', 'broker_answering', 'partitions_offline', 'canary_success_ratio']) {
      expect(text).toContain(`pointsman_${name}`);
    }
  });

  it('carry out commands', async () => {
    const command: Command = {
      id: 'c1',
      term: TERM,
      epoch: 1,
      group: 'orders',
      deadlineMs: 5_000,
      body: { kind: 'read_end_offsets', cluster: 'a', topics: ['orders'] },
    };
    const result = await controller.gateway.command('agent-a', command);
    expect(result).toMatchObject({ ok: true, output: { kind: 'end_offsets' } });
  });

  it('fence and open at the wish of the leader, and say what they read back', async () => {
    controller.gateway.setGoals(TERM, [goal('fenced', 2)]);
    await reached('fenced', 2);
    await expect(send(1)).rejects.toThrow(/larger than the max message size/);
    controller.gateway.setGoals(TERM, [goal('open', 3)]);
    await reached('open', 3);
    await send(1);
  });

  it('say within n periods that a killed cluster is down, refused on every broker', async () => {
    await lab.kill({ cluster: 'a' });
    await until(() => expect(votes('a')).toEqual(['DOWN', 'DOWN', 'DOWN']), 10_000);
    expect(build().votes['a']?.['agent-a']).toMatchObject({ kind: 'UNREACHABLE', everyBrokerRefused: true });
    expect(votes('b')).not.toContain('DOWN');
  });

  it('fence a cluster that returns within p + t of its first answer', async () => {
    controller.gateway.setGoals(TERM, [goal('fenced', 4)]);
    await until(() => {
      expect(controller.gateway.goalStatus('orders/cluster/a')).toMatchObject({ epoch: 4, reached: false });
    });
    const silentMs = build().votes['a']?.['agent-a']?.lastAnsweredAgeMs ?? 0;
    await lab.start({ cluster: 'a' });
    await until(() => {
      expect(build().votes['a']?.['agent-a']?.lastAnsweredAgeMs).toBeLessThan(silentMs);
    }, 60_000);
    await reached('fenced', 4, PERIOD_MS + TIMEOUT_MS);
    expect(build().votes['a']?.['agent-a']?.state).toBe('DEGRADED'); // recovering
    await expect(send(1)).rejects.toThrow(/larger than the max message size/);
  });

  it('say goodbye at a planned stop and leave with status 0', async () => {
    const ended = lab.process('agent-b').whenEnded();
    await lab.stop({ process: 'agent-b' });
    expect(await ended).toMatchObject({ code: 0 });
    // The process may end before this one has read its last words.
    await until(() => expect(build().observers.find((o) => o.agent === 'agent-b')?.goodbyeAgeMs).not.toBeNull());
    expect(build().observers.find((o) => o.agent === 'agent-a')?.goodbyeAgeMs).toBeNull();
  });
});
