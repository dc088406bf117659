import { createWriteStream, type WriteStream } from 'node:fs';
import { openConfigCenter } from '#config-center';
import { createSwitchingKafka, type SwitchingKafka } from '#client';
import { logLevel } from 'kafkajs';
import { formatLoadEvent, loadOptions, type LoadEvent, type LoadOptions } from './options.js';

/**
 * Producers and consumers of numbered orders over the switching wrapper, in a process of their own, as an application
 * would run. Never restarted: that it goes on over a switch is the proof. Prints `ready`, then `stats {json}` each
 * second; SIGTERM stops producing, waits for what is unanswered, and prints `done {json}`.
 */
const options = loadOptions.parse(JSON.parse(process.argv[2] ?? 'null'));
const counts = {
  sent: 0,
  acknowledged: 0,
  failed: 0,
  consumed: 0,
  unanswered: 0,
  cluster: '',
  lastAckCluster: '',
  lastConsumedCluster: '',
};
const log: WriteStream | null = options.logFile === null ? null : createWriteStream(options.logFile);

const note = (event: LoadEvent): void => {
  log?.write(`${formatLoadEvent(event)}\n`);
};
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const pointers =
  options.pointers.type === 'sql'
    ? openConfigCenter({ name: 'main', type: 'sql', url: options.pointers.url })
    : openConfigCenter({ name: 'main', type: 'etcd', endpoints: options.pointers.endpoints });
const kafka = createSwitchingKafka({
  group: options.group,
  pointers,
  stateFile: options.stateFile,
  clusters: Object.fromEntries(
    Object.entries(options.clusters).map(([name, brokers]) => [
      name,
      { brokers, logLevel: logLevel.NOTHING, connectionTimeout: 1_000 },
    ]),
  ),
});
kafka.on('switched', ({ from, to, tookMs }) => say(`switched ${from} ${to} ${tookMs}`));
kafka.on('blocked', ({ reason, error }) => say(`blocked ${reason} ${error.message}`));

await startConsumers(kafka, options);
const stopProducers = await startProducers(kafka, options);
const ticker = setInterval(
  () => say(`stats ${JSON.stringify({ ...counts, cluster: kafka.current()?.activeCluster ?? '' })}`),
  1_000,
);
say('ready');

process.once('SIGTERM', () => {
  stop().then(
    () => process.exit(0),
    (error: unknown) => {
      say(`error ${String(error)}`);
      process.exit(1);
    },
  );
});

async function stop(): Promise<void> {
  await stopProducers();
  clearInterval(ticker);
  await kafka.close();
  await pointers.close();
  await new Promise<void>((resolve) => (log === null ? resolve() : log.end(resolve)));
  say(`done ${JSON.stringify(counts)}`);
}

async function startConsumers(from: SwitchingKafka, o: LoadOptions): Promise<void> {
  for (let i = 0; i < o.consumers; i += 1) {
    const consumer = from.consumer({ groupId: o.consumerGroup });
    consumer.subscribe({ topics: [o.topic] });
    await consumer.run({
      autoCommitInterval: 1_000,
      eachMessage: ({ message, partition, cluster }) => {
        counts.consumed += 1;
        counts.lastConsumedCluster = cluster;
        note({
          kind: 'consumed',
          id: message.key?.toString() ?? '',
          cluster,
          partition,
          offset: message.offset,
          atMs: Date.now(),
        });
        return Promise.resolve();
      },
    });
  }
}

/** Each producer sends one order after the other at its share of the rate; an order that waits does not hold the next one up. */
async function startProducers(from: SwitchingKafka, o: LoadOptions): Promise<() => Promise<void>> {
  const unanswered = new Set<Promise<void>>();
  const everyMs = (1_000 * o.producers) / o.ordersPerSecond;
  const timers: NodeJS.Timeout[] = [];
  const producers = await Promise.all(
    Array.from({ length: o.producers }, async (_, p) => {
      const producer = from.producer({ buffer: { maxRecords: 50_000, maxWaitMs: 120_000 } });
      await producer.connect();
      const startedMs = performance.now();
      let sent = 0;
      const send = (): void => {
        const due = Math.floor((performance.now() - startedMs) / everyMs) + 1;
        for (; sent < due; sent += 1) {
          const id = `p${p}-${String(sent).padStart(8, '0')}`;
          counts.sent += 1;
          const answer = producer.send({ topic: o.topic, messages: [{ key: id, value: `order ${id}` }] }).then(
            ({ cluster, epoch, resent }) => {
              counts.acknowledged += 1;
              counts.lastAckCluster = cluster;
              note({ kind: 'acknowledged', id, cluster, epoch, resent, atMs: Date.now() });
            },
            (error: unknown) => {
              counts.failed += 1;
              note({ kind: 'failed', id, error: error instanceof Error ? error.name : 'unknown' });
            },
          );
          const tracked = answer.finally(() => unanswered.delete(tracked));
          unanswered.add(tracked);
          counts.unanswered = unanswered.size;
        }
      };
      timers.push(setInterval(send, Math.max(5, everyMs)));
      return producer;
    }),
  );
  return async () => {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(unanswered);
    counts.unanswered = 0;
    await Promise.all(producers.map((producer) => producer.disconnect()));
  };
}
