import { createWriteStream, type WriteStream } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { openConfigCenter } from '#config-center';
import { createSwitchingKafka, type SwitchingKafka } from '#client';
import { logLevel } from 'kafkajs';
import { formatLoadEvent, loadOptions, type LoadEvent, type LoadOptions } from './options.js';
import { type OrderBook, startProducers } from './producers.js';

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
      {
        brokers,
        logLevel: logLevel.NOTHING,
        connectionTimeout: 1_000,
        ...(options.sasl === undefined ? {} : { sasl: options.sasl }),
      },
    ]),
  ),
});
kafka.on('switched', ({ from, to, tookMs }) => say(`switched ${from} ${to} ${tookMs}`));
kafka.on('paused', ({ pointer, tookMs }) => say(`paused ${pointer.mode} ${pointer.epoch} ${tookMs}`));
kafka.on('resumed', ({ pointer, by }) => say(`resumed ${pointer.epoch} ${by}`));
kafka.on('warning', ({ client, setting, value }) => say(`warning ${client} ${setting}=${value}`));
kafka.on('blocked', ({ reason, error }) => say(`blocked ${reason} ${error.message}`));

await startConsumers(kafka, options);
const book: OrderBook = {
  sent: () => {
    counts.sent += 1;
  },
  answered: (event, unanswered) => {
    counts.unanswered = unanswered;
    if (event.kind === 'acknowledged') {
      counts.acknowledged += 1;
      counts.lastAckCluster = event.cluster;
    } else counts.failed += 1;
    note(event);
  },
};
const stopProducers = await startProducers(kafka, options, book);
const ticker = setInterval(
  () =>
    say(`stats ${JSON.stringify({ ...counts, cluster: kafka.current()?.activeCluster ?? '', mode: kafka.mode() })}`),
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
  if (options.idleMs !== undefined) await consumersIdle(options.idleMs);
  clearInterval(ticker);
  await kafka.close();
  await pointers.close();
  await new Promise<void>((resolve) => (log === null ? resolve() : log.end(resolve)));
  say(`done ${JSON.stringify(counts)}`);
}

async function consumersIdle(idleMs: number): Promise<void> {
  for (let before = -1; before !== counts.consumed;) {
    before = counts.consumed;
    await delay(idleMs);
  }
}

async function startConsumers(from: SwitchingKafka, o: LoadOptions): Promise<void> {
  for (let i = 0; i < o.consumers; i += 1) {
    const consumer = from.consumer({ groupId: o.consumerGroup });
    consumer.subscribe({ topics: [o.consumedTopics === undefined ? o.topic : new RegExp(o.consumedTopics)] });
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
