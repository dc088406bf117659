import { setTimeout as delay } from 'node:timers/promises';
import { type Lab, startLab, waitFor } from '#lab';
import { DEMO_PROFILE, Installation } from '../installation/index.js';
import { seriesOf } from '../stats/index.js';
import { atMost, type Figure, type Section, told } from './section.js';

const BROKERS = 3;
const FEW = 20;
const MANY = 2_000;
const MEASURE_MS = 20_000;
/** What one sample may ask: the layout once, the ends once per broker, the groups' offsets once per broker. */
const SAMPLE_APIS = ['Metadata', 'ListOffsets', 'OffsetFetch', 'ListGroups', 'FindCoordinator'];
const CANARY_APIS = ['Produce', 'Fetch'];
const LIMIT = 2 * BROKERS + 1;
/** Rounds at the ends of the time are cut in two, and a broker's connection is opened anew now and then. */
const SLACK = 0.25;

type Count = Readonly<{
  partitions: number;
  samples: number;
  perSample: Readonly<Record<string, number>>;
  bytes: number;
}>;

/** Requests and bytes of one sample as the lab's proxy counts them, with few partitions and with many. */
export async function benchSampling(say: (line: string) => void): Promise<Section> {
  const lab = await startLab({ sessionProfile: 'fast', clusters: { a: { brokers: BROKERS }, b: { brokers: 1 } } });
  try {
    for (const name of ['a', 'b'] as const)
      await lab.createTopic(name, { name: 'orders', partitions: FEW, replicationFactor: 1 });
    const flow = { topics: ['orders'], consumerGroups: ['billing'], state: 'STOPPED' as const };
    await lab.createFlow({ from: 'a', to: 'b', ...flow });
    await lab.createFlow({ from: 'b', to: 'a', ...flow });
    const installation = await Installation.start({ lab, profile: DEMO_PROFILE });
    const few = await count(lab, installation, FEW);
    say(`${FEW} partitions: ${sampleRpcs(few).toFixed(2)} requests per sample`);
    await widen(lab);
    const many = await count(lab, installation, MANY);
    await installation.close();
    return section(few, many);
  } finally {
    await lab.close();
  }
}

async function widen(lab: Lab): Promise<void> {
  const admin = lab.kafka('a').admin();
  await admin.connect();
  try {
    await admin.createPartitions({ topicPartitions: [{ topic: 'orders', count: MANY }], timeout: 60_000 });
    await waitFor(
      `${MANY} partitions have leaders`,
      async () => {
        const { topics } = await admin.fetchTopicMetadata({ topics: ['orders'] });
        const led = topics[0]?.partitions.filter((p) => p.leader >= 0).length ?? 0;
        return led === MANY ? true : undefined;
      },
      { timeoutMs: 90_000, pollMs: 1_000 },
    );
  } finally {
    await admin.disconnect();
  }
}

/** What the witness asks of cluster a: its way through the proxy is its own, so that every byte counted is the agent's. */
async function count(lab: Lab, installation: Installation, partitions: number): Promise<Count> {
  await delay(MEASURE_MS / 2); // connections and the slow tick's first answers
  const before = await rounds(installation);
  await lab.resetProxyStats();
  await delay(MEASURE_MS);
  const stats = await lab.proxyStats();
  const samples = (await rounds(installation)) - before;
  const sent = stats.kafkaRequestsByClient['c->a']?.['pointsman-agent-c'] ?? {};
  const { sent: out = 0, received = 0 } = stats.bytes['c->kafka a'] ?? {};
  const perSample = Object.fromEntries(Object.entries(sent).map(([api, n]) => [api, n / samples]));
  return { partitions, samples, perSample, bytes: (out + received) / samples };
}

async function rounds(installation: Installation): Promise<number> {
  const text = await (await fetch(installation.metricsUrl('agent', 'c'))).text();
  return seriesOf(text, 'pointsman_probe_rounds_total').find((s) => s.labels.includes('cluster="a"'))?.value ?? 0;
}

const sum = (count: Count, apis: readonly string[]): number =>
  apis.reduce((total, api) => total + (count.perSample[api] ?? 0), 0);
const sampleRpcs = (count: Count): number => sum(count, SAMPLE_APIS);

function section(few: Count, many: Count): Section {
  const figures = [few, many].flatMap((c): Figure[] => {
    const others = Object.keys(c.perSample).filter((api) => ![...SAMPLE_APIS, ...CANARY_APIS].includes(api));
    return [
      atMost({
        what: `${c.partitions} partitions: requests per sample`,
        value: sampleRpcs(c).toFixed(2),
        measured: sampleRpcs(c),
        limit: LIMIT + SLACK,
        goal: `≤ 2B+1 = ${LIMIT}`,
      }),
      told(`${c.partitions} partitions: canary (Produce, Fetch)`, sum(c, CANARY_APIS).toFixed(2)),
      told(`${c.partitions} partitions: quorum and slow ticks (${others.join(', ')})`, sum(c, others).toFixed(2)),
      told(`${c.partitions} partitions: bytes per sample`, `${(c.bytes / 1_024).toFixed(1)} kB`),
    ];
  });
  const all = (c: Count): number => sum(c, Object.keys(c.perSample));
  const brokenGates = [
    ...(sampleRpcs(many) <= LIMIT + SLACK
      ? []
      : [`${sampleRpcs(many).toFixed(2)} requests per sample, at most ${LIMIT}`]),
    ...(all(many) <= all(few) + SLACK * 4
      ? []
      : [`requests grow with partitions: ${all(few).toFixed(2)} at ${FEW}, ${all(many).toFixed(2)} at ${MANY}`]),
    ...(many.samples > 0 && few.samples > 0 ? [] : ['no sample was taken']),
  ];
  return {
    name: 'sampling',
    about: `one agent on a cluster of ${BROKERS} brokers, counted by the proxy between them over ${MEASURE_MS / 1_000} s; no time in it, so no floor but the counts`,
    figures,
    brokenGates,
    data: { few, many },
  };
}
