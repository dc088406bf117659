import kafkajs from 'kafkajs';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openKafkajsCluster } from './kafkajs-cluster.js';

/** What reaches kafkajs, whose own default is true. Nothing here connects. */
describe('topics that a cluster does not have', () => {
  const producers = vi.spyOn(kafkajs.Kafka.prototype, 'producer');
  const consumers = vi.spyOn(kafkajs.Kafka.prototype, 'consumer');
  const asked = () => [...producers.mock.calls, ...consumers.mock.calls].map(([c]) => c?.allowAutoTopicCreation);
  const openAll = (more: { allowAutoTopicCreation?: boolean }) => {
    const cluster = openKafkajsCluster('b', { brokers: ['127.0.0.1:9'] });
    cluster.producer(more);
    cluster.producer({ idempotent: true, ...more });
    cluster.producer({ transactionalId: 'tx', ...more });
    cluster.consumer({ groupId: 'billing', ...more });
  };

  beforeEach(() => {
    producers.mockClear();
    consumers.mockClear();
  });
  afterAll(() => vi.restoreAllMocks());

  it('are not made by a client', () => {
    openAll({});
    expect(asked()).toEqual([false, false, false, false]);
  });

  it('are made where the service itself says so (a warning tells the risk)', () => {
    openAll({ allowAutoTopicCreation: true });
    expect(asked()).toEqual([true, true, true, true]);
  });
});
