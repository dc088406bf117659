import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TranslateCommand, TranslatedOffset, TranslatedOutput, WatchGroup } from '#failover';
import { ConnectClient, PlatformaticHands } from '#kafka';
import { startLab, waitFor, type Lab } from '#lab';
import type { AgentConfig } from '../../apps/agent/src/config/agent-config.js';
import { OffsetKeeper } from '../../apps/agent/src/offsets/index.js';

// One broker each, MM2 a → b with offset.lag.max=10. Every record's value is its number in the order of sending.
const FLOW = {
  from: 'a',
  to: 'b',
  naming: 'identity',
  connectors: { source: 'a-b-src', checkpoint: 'a-b-cp', heartbeat: 'a-b-hb' },
} as const;
const TOPICS = ['plain', 'paid', 'gone', 'anew'];
const RECORDS = 6_000;
const LAGGING = 1_500; // what the group has read of them
const TRANSACTIONAL = 3_000;
let lab: Lab;
let keeper: OffsetKeeper;
let target: PlatformaticHands;
let source: PlatformaticHands;

beforeAll(async () => {
  lab = await startLab({ clusters: { a: { brokers: 1 }, b: { brokers: 1 } }, postgres: false });
  for (const topic of TOPICS) await lab.createTopic('a', { name: topic, partitions: 1 });
  await lab.createFlow({
    from: 'a',
    to: 'b',
    topics: TOPICS,
    consumerGroups: ['billing'],
    state: 'RUNNING',
    overrides: { 'source.consumer.isolation.level': 'read_committed' },
  });
  target = handsOf('b');
  source = handsOf('a');
  keeper = keeperIn('agent-b');
  keeper.setWatch([watchGroup(1)]);
});

afterAll(async () => {
  await keeper?.close();
  target?.close();
  source?.close();
  await lab?.close();
});

const handsOf = (cluster: 'a' | 'b'): PlatformaticHands =>
  new PlatformaticHands({
    clientId: 'spec',
    bootstrapServers: lab.bootstrapServers(cluster, cluster),
    security: { protocol: 'PLAINTEXT', sasl: null, tls: null },
  });

function keeperIn(folder: string): OffsetKeeper {
  const cluster = (name: 'a' | 'b') => ({
    name,
    idc: name,
    bootstrapServers: lab.bootstrapServers(name, 'b'),
    security: { protocol: 'PLAINTEXT', sasl: null, tls: null } as const,
    ordinary: null,
    connectUrl: lab.connectUrl(name, 'b'),
  });
  const config: AgentConfig = {
    agent: { id: 'agent-b', idc: 'b', dataDir: `${lab.dir}/${folder}` },
    logLevel: 'info',
    controllers: [],
    tls: null,
    http: null,
    probe: { periodMs: 1_000, timeoutMs: 1_000, failures: 3 },
    referenceTargets: [],
    clusters: [cluster('a'), cluster('b')],
  };
  return new OffsetKeeper({
    config,
    board: { committed: () => null },
    clock: () => performance.now(),
    onTrouble: () => undefined,
    everyMs: 500,
  });
}

const watchGroup = (epoch: number): WatchGroup => ({
  name: 'shop',
  clusters: ['a', 'b'],
  topics: TOPICS,
  consumerGroups: ['billing'],
  principals: [],
  flows: [FLOW],
  active: 'a',
  epoch,
});

const bodyOf = (): TranslateCommand => ({
  kind: 'translate_group_offsets',
  ...FLOW,
  consumerGroups: ['billing'],
  topics: ['plain', 'paid'],
  frozen: [],
});

const translate = (from: OffsetKeeper): Promise<TranslatedOutput> => from.translate(bodyOf(), () => 10_000);

type Read = Readonly<{ offset: number; value: number }>;

/** Every record with a number, as it lies in the log; what was aborted carries -1. */
async function log(cluster: PlatformaticHands, topic: string): Promise<readonly Read[]> {
  const records: Read[] = [];
  await cluster.readTopic(
    topic,
    ({ offset, value }) => records.push({ offset, value: Number(value?.toString('utf8')) }),
    { deadlineMs: 20_000 },
  );
  return records.filter((r) => r.value >= 0);
}

const copied = (topic: string, last: number): Promise<true> =>
  waitFor(
    `${topic} to be copied up to ${last}`,
    async () => (await log(target, topic)).at(-1)?.value === last || undefined,
    {
      timeoutMs: 60_000,
      pollMs: 500,
    },
  );

/** In batches that wait for their acknowledgement, so that MirrorMaker keeps up and writes its syncs. */
async function send(topic: string, count: number): Promise<void> {
  const producer = lab.kafka('a').producer({ retry: { retries: 5 } });
  await producer.connect();
  for (let sent = 0; sent < count; sent += 20) {
    const messages = Array.from({ length: 20 }, (_, i) => ({ value: String(sent + i), partition: 0 }));
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
}

/** One to nine records a transaction, every seventh aborted: a marker behind each, and records that nobody copies. */
async function sendTransactions(topic: string, count: number): Promise<number> {
  const producer = lab.kafka('a').producer({ transactionalId: 'pay', idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  let sent = 0;
  for (let turn = 0; sent < count; turn += 1) {
    const size = 1 + (turn % 9);
    const aborted = turn % 7 === 3;
    const transaction = await producer.transaction();
    const value = (i: number): string => (aborted ? '-1' : String(sent + i));
    await transaction.send({
      topic,
      messages: Array.from({ length: size }, (_, i) => ({ value: value(i), partition: 0 })),
    });
    await (aborted ? transaction.abort() : transaction.commit());
    if (!aborted) sent += size;
  }
  await producer.disconnect();
  return sent;
}

async function commit(topic: string, offset: number): Promise<void> {
  expect(await source.applyGroupOffsets('billing', [{ topic, partition: 0, offset }], 5_000)).toBe('applied');
}

/** Records before the first unread one that a reader from `offset` on gets; throws when that one lies before it. */
async function readAgain(topic: string, upstream: number, offset: number): Promise<number> {
  const wanted = (await log(source, topic)).find((r) => r.offset >= upstream)?.value;
  const again = (await log(target, topic)).filter((r) => r.offset >= offset).findIndex((r) => r.value === wanted);
  if (again < 0)
    throw new Error(`${topic}: a group at ${upstream} that resumes at ${offset} never sees ${wanted ?? 'the end'}`);
  return again;
}

/** Ours, and what MirrorMaker itself made of the same position: each with what it reads again. */
async function compare(
  topic: string,
  upstream: number,
): Promise<Readonly<{ ours: number; mm2: number; place: TranslatedOffset }>> {
  await commit(topic, upstream);
  const place = await waitFor(
    `MirrorMaker to checkpoint ${topic} at ${upstream}`,
    async () => {
      const found = (await translate(keeper)).offsets.find((o) => o.topic === topic);
      return found?.checkpoint?.upstream === upstream ? found : undefined;
    },
    { timeoutMs: 60_000, pollMs: 500 },
  );
  expect(place).toMatchObject({ upstream, upstreamBy: 'committed' });
  const ours = await readAgain(topic, upstream, place.offset ?? 0);
  expect(ours).toBeLessThanOrEqual(place.rereadAtMost ?? -1);
  return { ours, mm2: await readAgain(topic, upstream, place.checkpoint?.downstream ?? 0), place };
}

/** Of the lab's flows: a sync each so many records, which is the most that a safe place lies behind. */
const OFFSET_LAG_MAX = 10;

const tell = (line: string): boolean => process.stdout.write(`offsets: ${line}\n`);

describe('a group that lags behind hundreds of syncs', () => {
  it('is translated exactly on a log without gaps, where MM2’s own rule repeats', async () => {
    await send('plain', RECORDS);
    await copied('plain', RECORDS - 1);
    const { ours, mm2, place } = await compare('plain', LAGGING);
    expect(place).toMatchObject({ offset: LAGGING, confidence: 'EXACT', rereadAtMost: 0 });
    const { syncs } = await translate(keeper);
    tell(`${syncs.noted} syncs in ${syncs.pairs} pairs; log without gaps: ours reads ${ours} again, MM2 ${mm2}`);
    expect(syncs.noted).toBeGreaterThan(100);
    expect(ours).toBe(0);
    expect(mm2).toBeGreaterThan(0);
  });

  // How far back MM2's own sync lies is its history's chance; by how much it loses on long logs is measured by `make bench`.
  it('skips nothing on a transactional log, and reads again no more than one sync covers, and less than MM2', async () => {
    await sendTransactions('paid', TRANSACTIONAL);
    const records = await log(source, 'paid');
    await copied('paid', records.at(-1)?.value ?? -1);
    const upstream = records[Math.floor(records.length / 3)]?.offset ?? 0;
    const { ours, mm2 } = await compare('paid', upstream);
    const { syncs } = await translate(keeper);
    tell(`${syncs.noted} syncs in ${syncs.pairs} pairs; transactional log: ours reads ${ours} again, MM2 ${mm2}`);
    expect(ours).toBeLessThanOrEqual(OFFSET_LAG_MAX);
    expect(ours).toBeLessThan(mm2);
  }, 150_000);
});

describe('what MirrorMaker goes over without a word', () => {
  const gapOf = (topic: string) =>
    keeper.gaps({ ...FLOW, source: FLOW.connectors.source }).find((g) => g.topic === topic);
  const gap = (topic: string, downstream: number) =>
    waitFor(
      `a gap in ${topic}`,
      async () => {
        const found = gapOf(topic);
        return found?.downstream === downstream ? found : undefined;
      },
      { timeoutMs: 60_000, pollMs: 500 },
    );

  async function withFlowStopped(work: () => Promise<void>): Promise<void> {
    const connect = new ConnectClient(lab.connectUrl('b', 'b'));
    await connect.change(FLOW.connectors.source, 'stop', 5_000);
    await waitFor(
      'the flow to be stopped',
      async () => {
        const status = await connect.status(FLOW.connectors.source, 5_000);
        return status?.state === 'STOPPED' && status.tasks.length === 0 ? true : undefined;
      },
      { timeoutMs: 30_000, pollMs: 200 },
    );
    await work();
    await connect.change(FLOW.connectors.source, 'resume', 5_000);
    await connect.close();
  }

  it('is found by offsets: records purged before they were copied, a topic that was deleted and made anew', async () => {
    await send('gone', 100);
    await send('anew', 100);
    await copied('gone', 99);
    await copied('anew', 99);
    expect(keeper.gaps({ ...FLOW, source: FLOW.connectors.source })).toEqual([]);
    const admin = lab.kafka('a').admin();
    await admin.connect();
    await withFlowStopped(async () => {
      await send('gone', 100); // offsets 100 to 199, values from 0 on again
      await admin.fetchTopicOffsets('gone'); // kafkajs deletes records only of topics that it has looked at
      await admin.deleteTopicRecords({ topic: 'gone', partitions: [{ partition: 0, offset: '160' }] });
      // Found before the copy goes on; the same look has seen the old topic of the other name.
      await waitFor('the purge to be seen', () => Promise.resolve(gapOf('gone') ?? undefined), {
        timeoutMs: 30_000,
        pollMs: 500,
      });
      expect(gapOf('gone')).toMatchObject({ kind: 'purged', partition: 0, records: 60, downstream: null });
      await admin.deleteTopics({ topics: ['anew'] });
      await waitFor(
        'the old topic to be gone',
        async () => ((await admin.listTopics()).includes('anew') ? undefined : true),
        {
          timeoutMs: 30_000,
          pollMs: 200,
        },
      );
      await lab.createTopic('a', { name: 'anew', partitions: 1 });
      await send('anew', 40);
    });
    await admin.disconnect();
    expect(await gap('gone', 100)).toMatchObject({ kind: 'purged', records: 60 });
    expect(await gap('anew', 100)).toMatchObject({ kind: 'recreated', records: 0 });
    const values = (await log(target, 'gone')).map((r) => r.value);
    expect(values.slice(100)).toEqual(Array.from({ length: 40 }, (_, i) => 60 + i)); // 60 records never came
    tell(`purged: ${gapOf('gone')?.records} records; made anew: the copy goes on at ${gapOf('anew')?.downstream}`);
  });

  it('is remembered by an agent that starts again', async () => {
    await keeper.close();
    keeper = keeperIn('agent-b');
    keeper.setWatch([watchGroup(1)]);
    await gap('gone', 100);
    await gap('anew', 100);
  });
});
