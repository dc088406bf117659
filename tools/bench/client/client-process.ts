import { setTimeout as delay } from 'node:timers/promises';
import { createSwitchingKafka, type SwitchingKafka, type SwitchingProducer } from '#client';
import { EtcdConfigCenter } from '#config-center';
import { serve } from '../child.js';

/** Applications over the wrapper, each with everything of its own: config center, connections, producer. */
export type ClientWorld = Readonly<{
  group: string;
  etcd: string;
  clusters: Readonly<Record<string, readonly string[]>>; // name → bootstrap servers
  topic: string;
  /** Polls and repeated reports are put off beyond the measurement: what is counted then is the switch's own doing. */
  quiet: boolean;
}>;

type Application = Readonly<{ center: EtcdConfigCenter; kafka: SwitchingKafka; producer: SwitchingProducer }>;

const AGAIN_MS = 2;
/** A thousand starts in one moment would be a storm of the bench's own. */
const AT_ONCE = 10;
const NEVER_MS = 3_600_000;
/** All clients of a herd share two cores here: a connection may take long without anything being wrong. */
const CONNECT_MS = 30_000;

const applications: Application[] = [];
let topic = '';

function open(world: ClientWorld): Application {
  const center = new EtcdConfigCenter({
    endpoints: [world.etcd],
    ...(world.quiet ? { checkIntervalMs: NEVER_MS, deadlineMs: CONNECT_MS } : {}),
  });
  const kafka = createSwitchingKafka({
    group: world.group,
    pointers: center,
    clusters: Object.fromEntries(
      Object.entries(world.clusters).map(([name, brokers]) => [
        name,
        { brokers: [...brokers], connectionTimeout: CONNECT_MS, requestTimeout: CONNECT_MS },
      ]),
    ),
    ...(world.quiet ? { pollIntervalMs: NEVER_MS, adoptionTtlMs: NEVER_MS } : {}),
  });
  return { center, kafka, producer: kafka.producer() };
}

const sendOne = ({ producer }: Application) => producer.send({ topic, messages: [{ value: 'a record' }] });

async function firstRecord(application: Application): Promise<void> {
  await application.producer.connect();
  await sendOne(application);
}

async function close({ center, kafka }: Application): Promise<void> {
  await kafka.close();
  await center.close();
}

/** One record after the other until `cluster` acknowledges one; a client that has moved already needs one. */
async function acknowledgedBy(application: Application, cluster: string): Promise<void> {
  while ((await sendOne(application)).cluster !== cluster) await delay(AGAIN_MS);
}

function switchedTo({ kafka }: Application, cluster: string): Promise<void> {
  return new Promise((resolve) => {
    const off = kafka.on('switched', ({ to }) => {
      if (to !== cluster) return;
      off();
      resolve();
    });
  });
}

const handlers = {
  /** So many clients begin, some after the others; resolves when each has had a record acknowledged. */
  begin: async (args: { world: ClientWorld; clients: number }): Promise<void> => {
    ({ topic } = args.world);
    for (let at = 0; at < args.clients; at += AT_ONCE) {
      const begun = Array.from({ length: Math.min(AT_ONCE, args.clients - at) }, () => open(args.world));
      applications.push(...begun);
      await Promise.all(begun.map(firstRecord));
    }
  },
  /** The first client sends all the time; resolves at the first acknowledgement by `cluster`. */
  reach: async (args: { cluster: string }): Promise<void> => {
    const [first] = applications;
    if (first === undefined) throw new Error('no client has begun');
    await acknowledgedBy(first, args.cluster);
  },
  /** Every client hears of the switch, then sends one record; resolves when each has its acknowledgement by `cluster`. */
  move: async (args: { cluster: string }): Promise<void> => {
    await Promise.all(
      applications.map(async (application) => {
        await switchedTo(application, args.cluster);
        await acknowledgedBy(application, args.cluster);
      }),
    );
  },
  /** One more client in this process, which knows the program already: from nothing to its first acknowledgement, in ms. */
  fresh: async (args: { world: ClientWorld }): Promise<number> => {
    ({ topic } = args.world);
    const startedMs = performance.now();
    const application = open(args.world);
    await firstRecord(application);
    const tookMs = performance.now() - startedMs;
    await close(application);
    return tookMs;
  },
};
export type ClientHandlers = typeof handlers;

serve(handlers);
