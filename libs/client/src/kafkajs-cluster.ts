import kafkajs from 'kafkajs';
import type { KafkaConfig } from 'kafkajs';
import type { ClusterPort } from './cluster.port.js';

// Node cannot see the named exports of this CommonJS package; an ordinary import compiles and dies at start.
const { ConfigResourceTypes, Kafka, Partitioners, logLevel } = kafkajs;

const CONSUMER_RETRIES = 5;
// An idempotent batch that kafkajs itself repeats keeps its sequence numbers, so the broker drops the second copy.
const IDEMPOTENT_RETRY = { initialRetryTime: 50, maxRetryTime: 200, retries: 2 };
// A transaction that begins right after another one meets CONCURRENT_TRANSACTIONS for some ten milliseconds.
const TRANSACTION_RETRY = { initialRetryTime: 50, maxRetryTime: 500, retries: 6 };

/**
 * kafkajs would have the broker make a topic that it does not know. On a standby where MirrorMaker has not made it yet
 * it would get the broker's partition count: keys move, and copies no longer match their partitions.
 */
const withTopicsAsTheyAre = <C extends { allowAutoTopicCreation?: boolean }>(c: C) => ({
  ...c,
  allowAutoTopicCreation: c.allowAutoTopicCreation ?? false,
});

/**
 * kafkajs behind the port. Producers never retry inside kafkajs (it would hold a record for a minute on a dead cluster
 * without telling anybody); consumers retry at least five times, or they cannot join on a cluster whose offsets topic
 * is being made. kafkajs' own log is silent unless asked for: what matters is told by events.
 */
export function openKafkajsCluster(name: string, config: KafkaConfig): ClusterPort {
  const common: KafkaConfig = { clientId: `pointsman-${name}`, logLevel: logLevel.NOTHING, ...config };
  const fast = new Kafka({ ...common, retry: { ...config.retry, retries: 0 } });
  const retries = Math.max(config.retry?.retries ?? CONSUMER_RETRIES, CONSUMER_RETRIES);
  const patient = new Kafka({
    ...common,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, ...config.retry, retries },
  });
  return {
    producer: (c) => {
      const transactional = c.transactionalId !== undefined;
      const once = c.idempotent === true ? IDEMPOTENT_RETRY : { retries: 0 };
      const producer = (transactional ? patient : fast).producer({
        createPartitioner: Partitioners.DefaultPartitioner,
        ...withTopicsAsTheyAre(c),
        retry: transactional ? TRANSACTION_RETRY : once,
      });
      return {
        connect: () => producer.connect(),
        send: (record) => producer.send(record),
        transaction: () => producer.transaction(),
        disconnect: () => producer.disconnect(),
      };
    },
    consumer: (c) => {
      const consumer = patient.consumer({
        ...withTopicsAsTheyAre(c),
        retry: {
          initialRetryTime: 100,
          maxRetryTime: 2_000,
          ...c.retry,
          retries: Math.max(c.retry?.retries ?? retries, CONSUMER_RETRIES),
        },
      });
      return {
        connect: () => consumer.connect(),
        subscribe: (s) => consumer.subscribe(s),
        run: (r) => consumer.run(r),
        commitOffsets: (offsets) => consumer.commitOffsets(offsets),
        disconnect: () => consumer.disconnect(),
        onJoined: (f) => {
          consumer.on(consumer.events.GROUP_JOIN, () => f());
        },
        onCrash: (f) => {
          consumer.on(consumer.events.CRASH, (e) => f(e.payload.error));
        },
      };
    },
    maxMessageBytes: async (topic) => {
      const admin = fast.admin({ retry: { retries: 0 } });
      try {
        await admin.connect();
        const { resources } = await admin.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['max.message.bytes'] }],
        });
        const entry = resources[0]?.configEntries.find((e) => e.configName === 'max.message.bytes');
        if (entry === undefined) throw new Error(`the broker did not tell max.message.bytes of topic ${topic}`);
        return Number(entry.configValue);
      } finally {
        await admin.disconnect();
      }
    },
  };
}
