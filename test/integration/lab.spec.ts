import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { checkoutRoot, processesOfRun, startLab, waitFor, type Lab } from '#lab';

const CALL_TIMEOUT_MS = 10_000;

/** What a fetch ended with: the HTTP status, or the code of the network error. */
async function outcomeOf(url: string, timeoutMs = CALL_TIMEOUT_MS): Promise<number | string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const cause = error.cause;
    return cause instanceof Error && 'code' in cause ? String(cause.code) : error.name;
  }
}

async function endOffset(lab: Lab, cluster: 'a' | 'b', topic: string): Promise<number> {
  const admin = lab.kafka(cluster).admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.reduce((sum, each) => sum + Number(each.high), 0);
  } finally {
    await admin.disconnect();
  }
}

async function produce(lab: Lab, topic: string, value: string): Promise<void> {
  const producer = lab.kafka('a').producer();
  await producer.connect();
  try {
    await producer.send({ topic, acks: -1, messages: [{ value }] });
  } finally {
    await producer.disconnect();
  }
}

async function arrivesOnB(lab: Lab, topic: string, records: number): Promise<void> {
  await waitFor(
    `${records} records on b`,
    async () => ((await endOffset(lab, 'b', topic)) >= records ? true : undefined),
    { timeoutMs: 20_000 },
  );
}

describe('a driver process that holds a lab and is killed with kill -9', () => {
  it('takes every server with it', async () => {
    const root = checkoutRoot();
    const driver = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { createServer } from 'vite';
         const vite = await createServer({ configFile: false, logLevel: 'silent', server: { middlewareMode: true, hmr: false, ws: false, watch: null } });
         const { startLab } = await vite.ssrLoadModule(${JSON.stringify(path.join(root, 'tools/lab/index.ts'))});
         const lab = await startLab({ clusters: { a: {} }, connect: false });
         console.log('RUN ' + lab.runId);`,
      ],
      { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const runId = await new Promise<string>((resolve, reject) => {
      createInterface({ input: driver.stdout }).on('line', (line) => line.startsWith('RUN ') && resolve(line.slice(4)));
      driver.on('exit', () => reject(new Error('the driver ended before its lab was ready')));
    });
    expect(processesOfRun(runId).length).toBeGreaterThanOrEqual(3);

    driver.kill('SIGKILL');

    await waitFor('no process of the run', () => (processesOfRun(runId).length === 0 ? true : undefined), {
      timeoutMs: 10_000,
    });
    // Its folder is what a killed process cannot remove; the next lab does.
    const abandoned = path.join(root, '.runs', runId);
    expect(existsSync(abandoned)).toBe(true);
    const next = await startLab({ clusters: {}, postgres: false });
    await next.close();
    expect(existsSync(abandoned)).toBe(false);
  });
});

describe('a lab of one broker each', () => {
  let lab: Lab;
  const topic = 'orders';

  beforeAll(async () => {
    lab = await startLab();
    await lab.createTopic('a', { name: topic, partitions: 3 });
    const flow = { topics: [topic], consumerGroups: ['billing'] };
    await Promise.all([
      lab.createFlow({ ...flow, from: 'a', to: 'b', state: 'RUNNING' }),
      lab.createFlow({ ...flow, from: 'b', to: 'a', state: 'STOPPED' }),
    ]);
  });
  afterAll(async () => lab.close());

  it('carries a record from a to b, and the idle direction is stopped', async () => {
    await produce(lab, topic, 'first');
    await arrivesOnB(lab, topic, 1);
    const status = (await (await fetch(`${lab.connectUrl('a', 'c')}/connectors/b-a-src/status`)).json()) as unknown;
    expect(status).toMatchObject({ connector: { state: 'STOPPED' }, tasks: [] });
  });

  it('counts mutating requests by who sent them where', async () => {
    await lab.resetProxyStats();
    await fetch(`${lab.connectUrl('b', 'c')}/connectors/a-b-hb/pause`, { method: 'PUT' });
    await fetch(`${lab.connectUrl('b', 'c')}/connectors/a-b-hb/resume`, { method: 'PUT' });
    await waitFor(
      'the worker of b reads from a and writes to b',
      async () => {
        const { mutating, kafkaRequests } = await lab.proxyStats();
        const writes = mutating.kafka['b->b']?.['Produce'] ?? 0;
        return writes > 0 && (kafkaRequests['b->a']?.['Fetch'] ?? 0) > 0 ? true : undefined;
      },
      { timeoutMs: 10_000 },
    );
    const { mutating } = await lab.proxyStats();
    expect(mutating.connect).toEqual({ 'c->b': { PUT: 2 } });
    expect(mutating.connectLog.map((each) => each.path)).toEqual([
      '/connectors/a-b-hb/pause',
      '/connectors/a-b-hb/resume',
    ]);
    expect(mutating.kafka['b->a'] ?? {}).toEqual({});
  });

  it('cut: nothing passes and nothing is answered between a and b; healed, what was held flows on', async () => {
    const before = await endOffset(lab, 'b', topic);
    await lab.cut('a', 'b');
    await produce(lab, topic, 'while cut');
    expect(await outcomeOf(lab.connectUrl('a', 'b'), 500)).toBe('TimeoutError');
    expect(await outcomeOf(lab.connectUrl('a', 'c'))).toBe(200);
    expect(await outcomeOf(lab.connectUrl('a', 'a'))).toBe(200);
    expect(await endOffset(lab, 'b', topic)).toBe(before);
    await lab.heal('a', 'b');
    await arrivesOnB(lab, topic, before + 1);
    expect(await outcomeOf(lab.connectUrl('a', 'b'))).toBe(200);
  });

  it('frozen: connections are accepted and not answered; thawed, it answers', async () => {
    await lab.freeze({ connect: 'a' });
    expect(await outcomeOf(lab.connectUrl('a', 'c'), 500)).toBe('TimeoutError');
    await lab.thaw({ connect: 'a' });
    expect(await outcomeOf(lab.connectUrl('a', 'c'))).toBe(200);
  });

  it('kills a whole IDC with what was spawned in it, and starts it again with its data', async () => {
    const records = await endOffset(lab, 'a', topic);
    const echo = lab.spawn({
      idc: 'a',
      name: `echo-${randomUUID()}`,
      command: process.execPath,
      args: ['-e', `console.log('up ' + process.env.POINTSMAN_RUN_ID); setInterval(() => {}, 1000)`],
    });
    await echo.waitForLine(new RegExp(`^up ${lab.runId}$`), 10_000);

    await lab.kill({ idc: 'a' });
    try {
      expect(echo.lastExit?.signal).toBe('SIGKILL');
      // The first call may still meet the connection of an earlier one, which is being reset.
      await expect.poll(() => outcomeOf(lab.connectUrl('a', 'b')), { timeout: 10_000 }).toBe('ECONNREFUSED');
      expect(lab.isRunning({ cluster: 'b' })).toBe(true);
    } finally {
      await lab.start({ idc: 'a' });
    }
    expect(echo.running).toBe(true);
    expect(await endOffset(lab, 'a', topic)).toBe(records);
    await produce(lab, topic, 'after the return');
    await arrivesOnB(lab, topic, records + 1);
  });

  it('close leaves no process and no folder', async () => {
    const { dir } = lab;
    await lab.close();
    expect(await lab.leftovers()).toEqual([]);
    expect(existsSync(dir)).toBe(false);
  });
});
