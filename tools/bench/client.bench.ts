import { EtcdConfigCenter } from '#config-center';
import { type Lab, type LabClusterName, type ProxyStats, startLab, waitFor } from '#lab';
import { median } from '../stats/index.js';
import { Child } from './child.js';
import type { ClientHandlers, ClientWorld } from './client/client-process.js';
import { PointerPublisher } from './client/pointer-publisher.js';
import { interleave } from './interleave.js';
import { atMost, type Figure, type Section, told } from './section.js';

const TOPIC = 'orders';
const ROUNDS = 5;
const GOAL_RATIO = 0.3;
const HERD_PROCESSES = 4;
const HERD = 1_000;
/** Per client and switch: one report that it has left, one that it has arrived, and the renewal of the lease they stand under. */
const CENTER_REQUESTS = 3;
/** Reports follow the move within looks of 200 ms; counted when nobody has asked anything for as long as this. */
const QUIET_MS = 2_000;
const SETTLED_WITHIN_MS = 120_000;

type Cold = Readonly<{ processMs: number; freshMs: number }>;
/** What some clients asked of the config center and of one Kafka cluster. */
type Counted = Readonly<{
  center: Readonly<Record<string, number>>; // path → requests
  centerConnections: number;
  kafka: Readonly<Record<string, number>>; // API → requests
  kafkaConnections: number;
}>;

/** How fast one client follows the pointer, and what a thousand of them ask of the config center when it moves. */
export async function benchClient(say: (line: string) => void): Promise<Section> {
  const lab = await startLab({ sessionProfile: 'fast', connect: false, postgres: false, etcd: true });
  try {
    for (const cluster of ['a', 'b'] as const) await lab.createTopic(cluster, { name: TOPIC, partitions: 6 });
    const times = await oneClient(lab);
    say(`one client moved in ${median(times.a).toFixed(0)} ms`);
    const herd = await aHerd(lab);
    say(`${HERD} clients moved`);
    return section(times, herd);
  } finally {
    await lab.close();
  }
}

const start = (): Child<ClientHandlers> =>
  Child.start<ClientHandlers>(new URL('./client/client-process.js', import.meta.url));

async function worldOf(lab: Lab, group: string, quiet: boolean): Promise<ClientWorld> {
  const clusters = { a: lab.bootstrapServers('a', 'c'), b: lab.bootstrapServers('b', 'c') };
  return { group, etcd: await lab.etcdUrl('c'), clusters, topic: TOPIC, quiet };
}

async function publisherOf(
  lab: Lab,
  group: string,
): Promise<Readonly<{ to: PointerPublisher; center: EtcdConfigCenter }>> {
  const center = new EtcdConfigCenter({ endpoints: [await lab.etcdUrl('b')] }); // another way than the clients': not counted
  const servers = { a: lab.bootstrapServers('a', 'c'), b: lab.bootstrapServers('b', 'c') };
  return { to: new PointerPublisher(center, group, servers), center };
}

/** A: a running client is moved. B: the same program is started instead, and begun anew in a warm process. */
async function oneClient(lab: Lab): Promise<Readonly<{ a: readonly number[]; b: readonly Cold[] }>> {
  const world = await worldOf(lab, 'one', false);
  const { to, center } = await publisherOf(lab, world.group);
  const running = start();
  try {
    let at: LabClusterName = 'a';
    await to.publish(at);
    await running.ask('begin', { world, clients: 1 });
    const moved = async (): Promise<number> => {
      at = at === 'a' ? 'b' : 'a';
      const reached = running.ask('reach', { cluster: at });
      const startedMs = performance.now();
      await to.publish(at);
      await reached;
      return performance.now() - startedMs;
    };
    const cold = async (): Promise<Cold> => {
      const startedMs = performance.now();
      const fresh = start();
      try {
        await fresh.ask('begin', { world, clients: 1 });
        const processMs = performance.now() - startedMs;
        return { processMs, freshMs: await fresh.ask('fresh', { world }) };
      } finally {
        await fresh.close();
      }
    };
    return await interleave(moved, cold, ROUNDS);
  } finally {
    await running.close();
    await center.close();
  }
}

/** A thousand clients begin, and then are moved once. Counted by the proxy between them and the servers. */
async function aHerd(lab: Lab): Promise<Readonly<{ cold: Counted; moved: Counted }>> {
  const world = await worldOf(lab, 'herd', true);
  const { to, center } = await publisherOf(lab, world.group);
  await to.publish('a');
  const herd = Array.from({ length: HERD_PROCESSES }, start);
  const clients = HERD / HERD_PROCESSES;
  const counted = async (cluster: LabClusterName, work: () => Promise<void>): Promise<Counted> => {
    await lab.resetProxyStats();
    await work();
    const stats = await settled(lab);
    return {
      center: stats.etcdRequests['c->c'] ?? {},
      centerConnections: stats.bytes['c->etcd']?.connections ?? 0,
      kafka: stats.kafkaRequests[`c->${cluster}`] ?? {},
      kafkaConnections: stats.bytes[`c->kafka ${cluster}`]?.connections ?? 0,
    };
  };
  try {
    const cold = await counted('a', async () => {
      await Promise.all(herd.map((child) => child.ask('begin', { world, clients })));
    });
    const moved = await counted('b', async () => {
      const moving = Promise.all(herd.map((child) => child.ask('move', { cluster: 'b' })));
      await to.publish('b');
      await moving;
    });
    return { cold, moved };
  } finally {
    await Promise.all(herd.map((child) => child.close()));
    await center.close();
  }
}

function section(
  times: Readonly<{ a: readonly number[]; b: readonly Cold[] }>,
  herd: Readonly<{ cold: Counted; moved: Counted }>,
): Section {
  const [movedMs, processMs] = [median(times.a), median(times.b.map((c) => c.processMs))];
  const freshMs = median(times.b.map((c) => c.freshMs));
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  const { cold, moved } = herd;
  const each = (n: number): string => (n / HERD).toFixed(2);
  const centerRequests = sum(moved.center);
  return {
    name: 'client',
    about:
      `one wrapped client follows the pointer on etcd to its first acknowledged record on the other cluster, held against starting the same program; ` +
      `${HERD} clients in ${HERD_PROCESSES} processes, what each asks when the pointer moves once, against its own start; polls put off, so the counts are exact`,
    figures: [
      atMost({
        what: 'publish → first acknowledged record',
        value: ms(movedMs),
        floor: `${ms(processMs)} cold start`,
        measured: movedMs / processMs,
        limit: GOAL_RATIO,
        goal: `≤ ${GOAL_RATIO} ×`,
      }),
      told('  the same against a client begun in a warm process', ms(movedMs), ms(freshMs), movedMs / freshMs),
      perClient('requests to the config center', centerRequests, sum(cold.center), CENTER_REQUESTS),
      perClient('connections to the config center', moved.centerConnections, cold.centerConnections, 0),
      told('requests to the new Kafka cluster, per client', each(sum(moved.kafka)), each(sum(cold.kafka))),
      told(
        'connections to the new Kafka cluster, per client',
        each(moved.kafkaConnections),
        each(cold.kafkaConnections),
      ),
    ],
    brokenGates: [
      ...(centerRequests <= CENTER_REQUESTS * HERD
        ? []
        : [`${centerRequests} requests of ${HERD} clients to the config center, at most ${CENTER_REQUESTS * HERD}`]),
      ...(moved.centerConnections === 0
        ? []
        : [`${moved.centerConnections} new connections of ${HERD} clients to the config center`]),
    ],
    data: { movedMs: times.a, cold: times.b, herd },
  };
}

/** The proxy's counts once they stand still. */
async function settled(lab: Lab): Promise<ProxyStats> {
  let last = '';
  return waitFor(
    'nobody asks the config center any more',
    async () => {
      const stats = await lab.proxyStats();
      const text = JSON.stringify(stats.etcdRequests);
      const same = text === last;
      last = text;
      return same ? stats : undefined;
    },
    { timeoutMs: SETTLED_WITHIN_MS, pollMs: QUIET_MS },
  );
}

/** A count per client and switch, against the same count at its start. */
function perClient(what: string, moved: number, cold: number, limit: number): Figure {
  return {
    what: `${what}, per client and switch`,
    value: (moved / HERD).toFixed(2),
    floor: `${(cold / HERD).toFixed(2)} at its start`,
    ratio: cold === 0 ? null : moved / cold,
    goal: `≤ ${limit}`,
    verdict: moved <= limit * HERD ? 'met' : 'MISSED',
  };
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((n, x) => n + x, 0);
