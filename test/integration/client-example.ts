// docs/clients.md begins
import { BufferFullError, SwitchTimeoutError, createSwitchingKafka } from '#client';
import { openConfigCenter } from '#config-center';

type Site = { centerUrl: string; brokers: { a: string[]; b: string[] }; stateFile: string };

export async function startOrders({ centerUrl, brokers, stateFile }: Site, book: (id: string) => void) {
  const pointers = openConfigCenter({ name: 'main', type: 'sql', url: centerUrl }); // or type: 'etcd', endpoints
  const kafka = createSwitchingKafka({
    group: 'orders', // the failover group whose pointer is followed
    pointers,
    clusters: { a: { brokers: brokers.a }, b: { brokers: brokers.b } }, // kafkajs configurations, by Pointsman's names
    stateFile, // keeps the last pointer, for a start while the config center is down
    warmStandby: true, // keep a connection to the other cluster
  });
  kafka.on('switched', ({ from, to, tookMs }) => process.stderr.write(`moved ${from} → ${to} in ${tookMs} ms\n`));
  kafka.on('blocked', ({ reason, error }) => process.stderr.write(`${reason}: ${error.message}\n`));

  const consumer = kafka.consumer({ groupId: 'billing' });
  consumer.subscribe({ topics: ['orders'] });
  await consumer.run({ eachMessage: async ({ message }) => book(String(message.key)) }); // idempotent: may see one twice

  const producer = kafka.producer({ buffer: { maxRecords: 50_000, maxBytes: 64 * 2 ** 20, maxWaitMs: 180_000 } });
  await producer.connect();
  const place = async (id: string, order: string): Promise<'placed' | 'unknown' | 'not placed'> => {
    try {
      await producer.send({ topic: 'orders', messages: [{ key: id, value: order }] });
      return 'placed';
    } catch (e) {
      if (e instanceof BufferFullError) return 'not placed'; // shed load; it was never sent
      if (e instanceof SwitchTimeoutError) return e.maybeWritten ? 'unknown' : 'not placed';
      throw e; // the broker's own refusal of this record: too large, no permission
    }
  };
  return { kafka, place, stop: () => kafka.close().then(() => pointers.close()) };
}
// docs/clients.md ends
