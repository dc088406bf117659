import type { ConsumerConfig } from 'kafkajs';
import type { Pointer } from '#config-center';
import { UnknownClusterError } from './client.errors.js';
import type {
  SwitchingConsumer,
  SwitchingKafka,
  SwitchingKafkaOptions,
  SwitchingProducer,
  SwitchingProducerConfig,
} from './client.types.js';
import type { OpenCluster } from './cluster.port.js';
import { createEvents } from './events.js';
import { openKafkajsCluster } from './kafkajs-cluster.js';
import { PointerFollower } from './pointer-follower.js';
import { PointerConsumer } from './switching-consumer.js';
import { PointerProducer } from './switching-producer.js';

/**
 * kafkajs that follows the pointer of a hot-standby group: producers and consumers go on when the active cluster
 * changes, without a restart of the process.
 *
 * Not promised: that a record acknowledged by the old cluster survived its death (replication is asynchronous), that
 * a record is delivered once only (see SendOutcome.resent), and order between topics.
 * @param open for tests: another Kafka client in place of kafkajs
 */
export function createSwitchingKafka(
  options: SwitchingKafkaOptions,
  open: OpenCluster = openKafkajsCluster,
): SwitchingKafka {
  const { clusters } = options;
  const { emit, on } = createEvents();
  const producers = new Set<PointerProducer>();
  const consumers = new Set<PointerConsumer>();

  const adopt = (pointer: Pointer, previous: Pointer | null): void => {
    const startedAt = performance.now();
    const moved = previous !== null && previous.activeCluster !== pointer.activeCluster;
    const where = { from: previous?.activeCluster ?? '', to: pointer.activeCluster, pointer };
    emit('pointer', pointer);
    if (moved) emit('switching', where);
    if (clusters[pointer.activeCluster] === undefined) {
      const error = new UnknownClusterError(pointer.activeCluster, Object.keys(clusters));
      emit('blocked', { reason: 'unknown-cluster', error });
    }
    const ready = [...producers, ...consumers].map((client) => client.adopt(pointer));
    if (!moved) return;
    void Promise.all(ready).then((all) => {
      if (all.every(Boolean) && follower.current() === pointer)
        emit('switched', { ...where, tookMs: Math.round(performance.now() - startedAt) });
    });
  };

  const follower = new PointerFollower({
    group: options.group,
    source: options.pointers,
    stateFile: options.stateFile ?? null,
    pollIntervalMs: options.pollIntervalMs ?? 5_000,
    staleAfterMs: options.staleAfterMs ?? 15_000,
    emit,
    adopt,
  });
  const current = () => follower.current();
  follower.start();

  return {
    producer: (c: SwitchingProducerConfig = {}): SwitchingProducer => {
      const producer = new PointerProducer(c, {
        clusters,
        open,
        warmStandby: options.warmStandby ?? false,
        emit,
        current,
        refreshPointer: () => follower.refresh(),
        closed: (p) => producers.delete(p),
      });
      producers.add(producer);
      return producer;
    },
    consumer: (c: ConsumerConfig): SwitchingConsumer => {
      const consumer = new PointerConsumer(c, {
        clusters,
        open,
        rejoinJitterMs: options.rejoinJitterMs ?? 50,
        handlerGraceMs: options.handlerGraceMs ?? 5_000,
        emit,
        current,
        closed: (x) => consumers.delete(x),
      });
      consumers.add(consumer);
      return consumer;
    },
    current,
    on,
    close: async () => {
      await follower.close();
      await Promise.all([...producers].map((p) => p.disconnect()));
      await Promise.all([...consumers].map((c) => c.disconnect()));
    },
  };
}
