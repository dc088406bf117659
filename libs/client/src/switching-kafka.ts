import type { ConsumerConfig } from 'kafkajs';
import type { AdoptionLog, ConfigCenter, Pointer, PointerSource } from '#config-center';
import { AdoptionReporter } from './adoption-reporter.js';
import { UnknownClusterError } from './client.errors.js';
import { acks1, checkConsumer, checkProducer } from './check-settings.js';
import type {
  SettingWarning,
  SwitchingConsumer,
  SwitchingKafka,
  SwitchingKafkaOptions,
  SwitchingProducer,
  SwitchingProducerConfig,
  SwitchingTransactionalConfig,
  SwitchingTransactionalProducer,
} from './client.types.js';
import type { OpenCluster } from './cluster.port.js';
import { createEvents } from './events.js';
import { openKafkajsCluster } from './kafkajs-cluster.js';
import { ModeClock } from './mode-clock.js';
import { PointerFollower } from './pointer-follower.js';
import { PointerConsumer } from './switching-consumer.js';
import { PointerProducer } from './switching-producer.js';
import { PointerTransactions } from './switching-transactions.js';

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
  const producers = new Set<PointerProducer | PointerTransactions>();
  const consumers = new Set<PointerConsumer>();
  let clients = 0; // numbers them, for warnings

  const clock = new ModeClock((pointer) => {
    emit('resumed', { pointer, by: 'max-ms' });
    for (const client of [...producers, ...consumers]) void client.adopt(pointer);
  });
  const adopt = (pointer: Pointer, previous: Pointer | null): void => {
    const startedAt = performance.now();
    const wasPaused = clock.mode() !== 'ACTIVE';
    clock.enter(pointer);
    const moved = previous !== null && previous.activeCluster !== pointer.activeCluster;
    const where = { from: previous?.activeCluster ?? '', to: pointer.activeCluster, pointer };
    emit('pointer', pointer);
    if (moved) emit('switching', where);
    if (wasPaused && clock.mode() === 'ACTIVE') emit('resumed', { pointer, by: 'pointer' });
    if (clusters[pointer.activeCluster] === undefined) {
      const error = new UnknownClusterError(pointer.activeCluster, Object.keys(clusters));
      emit('blocked', { reason: 'unknown-cluster', error });
    }
    const ready = [...producers, ...consumers].map((client) => client.adopt(pointer));
    if (!moved && pointer.mode === 'ACTIVE') return;
    void Promise.all(ready).then((all) => {
      if (!all.every(Boolean) || follower.current() !== pointer) return;
      const tookMs = Math.round(performance.now() - startedAt);
      if (clock.mode() !== 'ACTIVE') emit('paused', { pointer, tookMs });
      else if (moved) emit('switched', { ...where, tookMs });
    });
  };
  const warn = (warnings: readonly SettingWarning[]): void => {
    // A moment later, when the caller has had the chance to listen.
    for (const w of warnings) queueMicrotask(() => emit('warning', w));
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
  const kept = follower.current();
  if (kept !== null) clock.enter(kept); // a state file written in mid-switch pauses a restarted process too
  const shared = { clusters, open, emit, current, mode: () => clock.mode() };
  const log = options.adoption === undefined ? reportsTo(options.pointers) : options.adoption;
  const reporter =
    log === null
      ? null
      : new AdoptionReporter({
          log,
          group: options.group,
          ttlMs: options.adoptionTtlMs ?? 30_000,
          current,
          mode: () => clock.mode(),
          failed: (e) => warn([adoptionFails(e)]),
        });
  const leave = new Map<object, () => void>();
  const enlist = (
    client: PointerProducer | PointerTransactions | PointerConsumer,
    name: string,
    warnings: SettingWarning[],
  ) => {
    warn(warnings);
    const kind = client instanceof PointerConsumer ? 'consumer' : 'producer';
    const gone = reporter?.add(kind, name, warnings, () => client.describe());
    if (gone !== undefined) leave.set(client, gone);
  };
  const dismiss = (client: object) => {
    leave.get(client)?.();
    leave.delete(client);
  };

  return {
    producer: (c: SwitchingProducerConfig = {}): SwitchingProducer => {
      const name = `producer ${++clients}`;
      const warnings = checkProducer(name, c, clusters);
      let acks1Told = false;
      const producer = new PointerProducer(c, {
        ...shared,
        warmStandby: options.warmStandby ?? false,
        sendsWithAcks1: () => {
          if (acks1Told) return;
          acks1Told = true;
          warnings.push(acks1(name));
          warn([acks1(name)]);
        },
        refreshPointer: () => follower.refresh(),
        closed: (p) => {
          producers.delete(p);
          dismiss(p);
        },
      });
      enlist(producer, options.clusters[Object.keys(clusters)[0] ?? '']?.clientId ?? name, warnings);
      producers.add(producer);
      return producer;
    },
    transactionalProducer: (c: SwitchingTransactionalConfig): SwitchingTransactionalProducer => {
      const producer = new PointerTransactions(c, {
        ...shared,
        refreshPointer: () => follower.refresh(),
        closed: (p) => {
          producers.delete(p);
          dismiss(p);
        },
      });
      enlist(producer, c.transactionalId, checkProducer(`producer ${++clients} (${c.transactionalId})`, c, clusters));
      producers.add(producer);
      return producer;
    },
    consumer: (c: ConsumerConfig): SwitchingConsumer => {
      const consumer = new PointerConsumer(c, {
        ...shared,
        rejoinJitterMs: options.rejoinJitterMs ?? 50,
        handlerGraceMs: options.handlerGraceMs ?? 5_000,
        closed: (x) => {
          consumers.delete(x);
          dismiss(x);
        },
      });
      enlist(consumer, c.groupId, checkConsumer(`consumer ${++clients} (${c.groupId})`, c, clusters));
      consumers.add(consumer);
      return consumer;
    },
    current,
    mode: () => clock.mode(),
    on,
    close: async () => {
      clock.stop();
      const leaving = async () => {
        await Promise.all([...consumers].map((c) => c.disconnect())); // first: a handler at work may still have to send
        await Promise.all([...producers].map((p) => p.disconnect()));
        await reporter?.close();
      };
      await Promise.all([follower.close(), leaving()]);
    },
  };
}

/** Every config center of ours takes reports; a caller's own source of pointers need not. */
function reportsTo(pointers: PointerSource): AdoptionLog | null {
  return 'report' in pointers && 'withdraw' in pointers && 'adoptions' in pointers ? (pointers as ConfigCenter) : null;
}

const adoptionFails = (e: Error): SettingWarning => ({
  client: 'this process',
  setting: 'adoption',
  value: e.message,
  risk: 'a switch cannot see these clients arrive: grant writing to pointsman_client (SQL) or to …/clients/ (etcd)',
});
