import { type SwitchingKafka, TransactionAbortedError } from '#client';
import type { LoadEvent, LoadOptions } from './options.js';

export type OrderBook = Readonly<{
  sent(): void;
  answered(event: Exclude<LoadEvent, { kind: 'consumed' }>, unanswered: number): void;
}>;

type Order = { readonly id: string; resent: boolean };
type Answer = (order: Order, event: Exclude<LoadEvent, { kind: 'consumed' }>) => void;

// Orders of one transaction: what came due while the last one was being committed, bounded.
const ORDERS_PER_TRANSACTION = 500;

const MIXED = ['idempotent', 'transactional'] as const;

/**
 * Each producer numbers its orders and sends them at its share of the rate; an order that waits does not hold the next
 * one up. The returned stop ends producing and waits until every order is answered.
 */
export async function startProducers(
  kafka: SwitchingKafka,
  o: LoadOptions,
  book: OrderBook,
): Promise<() => Promise<void>> {
  const stops = await Promise.all(
    Array.from({ length: o.producers }, async (_, p) => {
      const unanswered = new Set<Order>();
      let allAnswered: (() => void) | null = null;
      const answer: Answer = (order, event) => {
        unanswered.delete(order);
        book.answered(event, unanswered.size);
        if (unanswered.size === 0) allAnswered?.();
      };
      const mode = o.producerMode === 'mixed' ? MIXED[p % MIXED.length] : o.producerMode;
      const open = mode === 'transactional' ? transactionalSender : sender;
      const { send, close } = await open(kafka, { ...o, producerMode: mode }, `p${p}`, answer);
      const everyMs = (1_000 * o.producers) / o.ordersPerSecond;
      const startedMs = performance.now();
      let made = 0;
      const timer = setInterval(
        () => {
          const due = Math.floor((performance.now() - startedMs) / everyMs) + 1;
          for (; made < due; made += 1) {
            const order = { id: `p${p}-${String(made).padStart(8, '0')}`, resent: false };
            unanswered.add(order);
            book.sent();
            send(order);
          }
        },
        Math.max(5, everyMs),
      );
      return async () => {
        clearInterval(timer);
        if (unanswered.size > 0) await new Promise<void>((resolve) => (allAnswered = resolve));
        await close();
      };
    }),
  );
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

const failed = (order: Order, error: unknown) =>
  ({ kind: 'failed', id: order.id, error: error instanceof Error ? error.name : 'unknown' }) as const;

async function sender(kafka: SwitchingKafka, o: LoadOptions, _name: string, answer: Answer) {
  const producer = kafka.producer({
    buffer: { maxRecords: 200_000, maxBytes: 256 * 2 ** 20, maxWaitMs: 120_000 },
    ...(o.producerMode === 'idempotent' ? { idempotent: true, maxInFlightRequests: 1 } : {}),
  });
  await producer.connect();
  const send = (order: Order): void => {
    producer.send({ topic: o.topic, messages: [{ key: order.id, value: `order ${order.id}` }] }).then(
      ({ cluster, epoch, resent, metadata }) => {
        const partition = metadata[0]?.partition;
        const told = { kind: 'acknowledged', id: order.id, cluster, epoch, resent, atMs: Date.now() } as const;
        answer(order, partition === undefined ? told : { ...told, partition });
      },
      (error: unknown) => answer(order, failed(order, error)),
    );
  };
  return { send, close: () => producer.disconnect() };
}

/** Orders wait in a queue; one transaction after the other takes what is there. An aborted one is done again. */
async function transactionalSender(kafka: SwitchingKafka, o: LoadOptions, name: string, answer: Answer) {
  const producer = kafka.transactionalProducer({
    transactionalId: `${o.group}-load-${name}`,
    transactionTimeout: 30_000,
    maxWaitMs: 120_000,
  });
  await producer.connect();
  const queue: Order[] = [];
  let working = false;
  const work = async (): Promise<void> => {
    working = true;
    while (queue.length > 0) {
      const orders = queue.slice(0, ORDERS_PER_TRANSACTION);
      try {
        const transaction = await producer.transaction();
        await transaction.send({
          topic: o.topic,
          messages: orders.map(({ id }) => ({ key: id, value: `order ${id}` })),
        });
        await transaction.commit();
        queue.splice(0, orders.length);
        const { cluster, epoch } = transaction;
        for (const order of orders)
          answer(order, { kind: 'acknowledged', id: order.id, cluster, epoch, resent: order.resent, atMs: Date.now() });
      } catch (error) {
        if (error instanceof TransactionAbortedError && error.retriable) {
          if (error.maybeCommitted) for (const order of orders) order.resent = true;
          continue;
        }
        queue.splice(0, orders.length);
        for (const order of orders) answer(order, failed(order, error));
      }
    }
    working = false;
  };
  const send = (order: Order): void => {
    queue.push(order);
    if (!working) void work();
  };
  return { send, close: () => producer.disconnect() };
}
