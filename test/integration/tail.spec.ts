import { readFileSync } from 'node:fs';
import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tailAgent, type TailEnds } from './tail-rig.js';
import {
  ORIGIN_HEADER,
  tailTopic,
  type Command,
  type CommandBody,
  type CommandOutput,
  type FlowGoal,
  type PartitionOffset,
  type TailCommand,
} from '#failover';
import { startLab, waitFor, type Lab } from '#lab';
import { AgentHands } from '../../apps/agent/src/hands/index.js';
import { ConnectClient, PlatformaticHands, PlatformaticRecordLog } from '#kafka';

// What only a returned cluster holds, on real logs: a → b copied 60 records, was stopped, then a got a tail of 14.
const GROUP = 'shop';
let lab: Lab;
let hands: AgentHands;
let producer: Producer;
let at: TailEnds;
let connectors: FlowGoal['connectors'];

const run = async (body: CommandBody): Promise<CommandOutput> => {
  const command: Command = { id: 'c', term: 1, epoch: 3, group: GROUP, deadlineMs: 8_000, body };
  const result = await hands.run(command, AbortSignal.timeout(9_000));
  if (!result.ok) throw new Error(`${result.code}: ${result.detail}`);
  return result.output;
};

async function work<K extends CommandOutput['kind']>(
  kind: K,
  body: TailCommand,
): Promise<Extract<CommandOutput, { kind: K }>> {
  return await waitFor(
    `${body.kind} to end`,
    async () => {
      const output = await run(body);
      const ended = 'progress' in output && output.progress.finished && output.kind === kind;
      return ended ? (output as Extract<CommandOutput, { kind: K }>) : undefined;
    },
    { timeoutMs: 40_000, pollMs: 100 },
  );
}

const flow = (from: string, to: string, state: FlowGoal['state'], epoch = 3): FlowGoal => ({
  ...{ subject: 'flow', group: GROUP, from, to, state, epoch, term: 1 },
  connectors: { source: `${from}-${to}-src`, checkpoint: `${from}-${to}-cp`, heartbeat: `${from}-${to}-hb` },
});

/** As the agent does it: again at each probe, until it is so. A worker that answers late is no failure. */
const reach = (goal: FlowGoal): Promise<true> =>
  waitFor(
    `${goal.from}→${goal.to} ${goal.state}`,
    async () => ((await hands.apply(goal, AbortSignal.timeout(20_000))).reached ? (true as const) : undefined),
    { timeoutMs: 50_000, pollMs: 500 },
  );

async function ends(cluster: string, topics = ['orders']): Promise<readonly PartitionOffset[]> {
  const output = await run({ kind: 'read_end_offsets', cluster, topics });
  if (output.kind !== 'end_offsets') throw new Error('end offsets expected');
  return output.ends.toSorted((x, y) => x.partition - y.partition);
}
const total = async (cluster: string): Promise<number> => (await ends(cluster)).reduce((n, e) => n + e.offset, 0);

beforeAll(async () => {
  lab = await startLab({ clusters: { a: { brokers: 1 }, b: { brokers: 3 } }, postgres: false });
  await lab.createTopic('a', { name: 'orders', partitions: 2 });
  connectors = await lab.createFlow({
    from: 'a',
    to: 'b',
    topics: ['orders'],
    consumerGroups: ['g'],
    state: 'RUNNING',
  });
  await lab.createFlow({ from: 'b', to: 'a', topics: ['orders'], consumerGroups: ['g'], state: 'STOPPED' });
  hands = new AgentHands(tailAgent(lab));
  producer = lab.kafka('a').producer({ retry: { retries: 3 } });
  await producer.connect();
  const send = (count: number, what: string) =>
    producer.send({
      topic: 'orders',
      messages: Array.from({ length: count }, (_, i) => ({
        key: i === 1 ? Buffer.from([0xff, 0x00]) : `${what}-${i}`,
        value: `${what} ${i}`,
        headers: { kind: what },
        partition: i % 2,
      })),
    });
  await send(60, 'copied');
  await waitFor('the copy', async () => ((await total('b').catch(() => 0)) === 60 ? true : undefined), {
    timeoutMs: 60_000,
  });
  const positions = { kind: 'read_replication_position', from: 'a', to: 'b', connectors, topics: ['orders'] } as const;
  await waitFor(
    'N at the end',
    async () => {
      const n = await run(positions);
      return n.kind === 'replication_position' && n.positions.every((p) => p.offset === 29) && n.positions.length === 2
        ? true
        : undefined;
    },
    { timeoutMs: 30_000 },
  );
  await reach(flow('a', 'b', 'stopped'));
  const s = await ends('b');
  await send(14, 'tail');
  at = { s, end: await ends('a') };
}, 180_000);

afterAll(async () => {
  await producer?.disconnect();
  await hands?.close();
  await lab?.close();
});

const ranges = () =>
  at.end.map(({ topic, partition, offset }) => ({ topic, partition, from: at.s[partition]?.offset ?? 0, to: offset }));
const seam = (n: number | null, topic = 'orders'): TailCommand => ({
  kind: 'prove_seam',
  from: 'a',
  to: 'b',
  records: 16,
  positions: at.end
    .filter((e) => topic === 'orders' || e.partition === 0)
    .map((e) => ({ topic, partition: e.partition, s: 30, n, end: topic === 'orders' ? e.offset : 2 })),
});

async function readAll(cluster: 'a' | 'b', topic: string, count: number) {
  const consumer = lab.kafka(cluster).consumer({ groupId: `reader-${topic}-${count}`, retry: { retries: 10 } });
  const seen: { key: Buffer | null; headers: Record<string, string>; value: string }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([k, v]) => [k, String(v)]);
      seen.push({ key: message.key, headers: Object.fromEntries(headers), value: String(message.value) });
    },
  });
  await waitFor(`${count} records of ${topic}`, async () => (seen.length >= count ? true : undefined), {
    timeoutMs: 30_000,
  });
  await consumer.disconnect();
  return seen;
}

describe('a tail on real logs', () => {
  it('begins where the records say, also when N was said too early or is not known', async () => {
    expect((await readAll('b', 'orders', 60)).every((r) => r.headers.kind === 'copied')).toBe(true);
    for (const n of [29, 20, null]) {
      const { findings } = await work('seam_proof', seam(n));
      expect(findings.map((f) => f.seam)).toMatchObject([
        { verdict: 'proved', lastCopied: 29 },
        { verdict: 'proved', lastCopied: 29 },
      ]);
    }
  });

  it('is counted and listed as an independent reader finds it', async () => {
    const report = await work('tail_report', { kind: 'report_tail', cluster: 'a', ranges: ranges() });
    const all = await readAll('a', 'orders', 74);
    expect(report).toMatchObject({ records: all.filter((r) => r.headers.kind === 'tail').length });
    expect(report.partitions).toMatchObject([
      { partition: 0, records: 7, first: { offset: 30, key: 'tail-0' }, last: { offset: 36 } },
      { partition: 1, records: 7, first: { offset: 30, key: 'base64:/wA=' } },
    ]);
    const lines = readFileSync(report.path, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(14);
    expect(JSON.parse(lines[7] ?? '')).toMatchObject({ keyBase64: '/wA=', headers: [{ name: 'kind', value: 'tail' }] });
  });

  it('is exported with values and headers, and a second run by another process writes nothing twice', async () => {
    const body = { kind: 'export_tail', from: 'a', to: 'b', ranges: ranges(), destination: 'topic' } as const;
    expect(await work('tail_export', body)).toMatchObject({ written: 14, present: 0, place: tailTopic(GROUP) });
    await hands.close();
    hands = new AgentHands(tailAgent(lab));
    expect(await work('tail_export', body)).toMatchObject({ written: 0, present: 14 });
    const kept = await readAll('b', tailTopic(GROUP), 14);
    expect(kept).toHaveLength(14);
    expect(kept.map((r) => r.headers[ORIGIN_HEADER])).toContain('a/orders/1/36');
    expect(kept.every((r) => r.headers.kind === 'tail')).toBe(true);
    const file = await work('tail_export', { ...body, destination: 'file' });
    const lines = readFileSync(file.place, 'utf8').trimEnd().split('\n');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ cluster: 'a', offset: 30, key: 'tail-0', value: 'tail 0' });
  });

  it('is replayed through the resolver, once', async () => {
    const onB = lab.kafka('b').producer({ retry: { retries: 3 } });
    await onB.connect();
    const timestamp = String(Date.now() + 60_000);
    await onB.send({ topic: 'orders', messages: [{ key: 'tail-0', value: 'newer', partition: 0, timestamp }] });
    await onB.disconnect();
    const since = at.s;
    const body = {
      kind: 'replay_tail',
      from: 'a',
      to: 'b',
      ranges: ranges(),
      since,
      priority: [],
      strategy: 'last-write-wins',
    } as const;
    expect(await work('tail_replay', body)).toMatchObject({ written: 13, kept: 1, merged: 0, present: 0 });
    await hands.close();
    hands = new AgentHands(tailAgent(lab));
    expect(await work('tail_replay', body)).toMatchObject({ written: 0, kept: 1, present: 13 });
    expect(await total('b')).toBe(60 + 1 + 13);
  });

  it('only new records travel back: no history is copied, and nothing goes round', async () => {
    const before = await total('a');
    const back = flow('b', 'a', 'running', 4);
    const positions = at.s;
    const seed = { kind: 'seed_flow', from: 'b', to: 'a', connectors: back.connectors, positions } as const;
    expect(await run(seed)).toMatchObject({ outcome: 'seeded', equal: 2 });
    const wanted = before + (await total('b')) - 60;
    await reach(back);
    expect(await run(seed)).toMatchObject({ outcome: 'not_stopped' });
    await waitFor('the new records on a', async () => ((await total('a')) >= wanted ? true : undefined), {
      timeoutMs: 40_000,
    });
    expect([await total('a'), await total('b')]).toEqual([wanted, 74]);
  });

  it('a request that its worker carries out late, after the cluster came back, copies no history (facts 0.3)', async () => {
    await reach(flow('b', 'a', 'stopped', 5));
    const before = await total('a');
    await lab.kill({ cluster: 'a' });
    const worker = new ConnectClient(lab.connectUrl('a', 'a'));
    await expect(worker.change('b-a-src', 'resume', 2_000)).rejects.toMatchObject({ stateUnknown: true });
    const positions = at.s;
    const back = flow('b', 'a', 'stopped', 5);
    await expect(
      run({ kind: 'seed_flow', from: 'b', to: 'a', connectors: back.connectors, positions }),
    ).rejects.toThrow(/unavailable/); // nothing is sent to a worker whose own cluster is silent (I38)
    await lab.start({ cluster: 'a' });
    await waitFor(
      'the late request',
      async () => ((await worker.status('b-a-src', 2_000).catch(() => null))?.state === 'RUNNING' ? true : undefined),
      { timeoutMs: 60_000 },
    );
    await worker.close();
    await reach(back);
    expect(await total('a')).toBe(before);
  });

  it('a log that came back shorter than its copy is told from one that is only behind', async () => {
    await lab.createTopic('a', { name: 'pay', partitions: 1 });
    await lab.createTopic('b', { name: 'pay', partitions: 1 });
    await producer.send({ topic: 'pay', messages: [{ value: 'one' }, { value: 'two' }] });
    const onB = lab.kafka('b').producer({ retry: { retries: 3 } });
    await onB.connect();
    await onB.send({ topic: 'pay', messages: Array.from({ length: 30 }, (_, i) => ({ value: `other ${i}` })) });
    await onB.disconnect();
    const shorter = await work('seam_proof', seam(29, 'pay'));
    expect(shorter.findings.map((f) => f.seam)).toEqual([{ verdict: 'shorter', end: 2, needed: 30 }]);
    const other = await work('seam_proof', seam(1, 'pay'));
    expect(other.findings.map((f) => f.seam.verdict)).toEqual(['different']);
  });
});

describe('an append whose followers hang', () => {
  it('is in the log behind the high watermark, and seen there until readers see it', async () => {
    const held = { topic: 'held', partition: 0 };
    await lab.createTopic('b', { name: 'held', partitions: 1 });
    const connection = {
      ...{ clientId: 'writer', bootstrapServers: lab.bootstrapServers('b', 'a') },
      security: { protocol: 'PLAINTEXT', sasl: null, tls: null } as const,
    };
    const [onB, log] = [new PlatformaticHands(connection), new PlatformaticRecordLog(connection)];
    const settledWithin = (waitMs: number) =>
      log.settledEnd(held, { callMs: 8_000, waitMs, signal: AbortSignal.timeout(60_000) });
    expect(await settledWithin(20_000)).toBe(0);
    const leader = (await onB.layout(5_000)).topics.get('held')?.partitions[0]?.leader;
    const followers = [1, 2, 3].filter((id) => id !== leader);
    const each = (act: 'freeze' | 'thaw') => Promise.all(followers.map((id) => lab[act]({ broker: ['b', id] })));
    await each('freeze'); // most voters too: nobody can take them out of the replicas in sync
    try {
      const record = { timestampMs: 1, key: null, value: Buffer.from('once'), headers: [] };
      await expect(log.append('held', 0, [record], 8_000)).rejects.toMatchObject({ code: 'POINTSMAN_KAFKA_CALL' });
      expect(await onB.offsets(['held'], 'end', 8_000)).toEqual([{ ...held, offset: 0 }]);
      await expect(settledWithin(0)).rejects.toThrow('written up to 1, visible up to 0');
    } finally {
      await each('thaw');
    }
    expect(await settledWithin(40_000)).toBe(1);
    onB.close();
    log.close();
  });
});
