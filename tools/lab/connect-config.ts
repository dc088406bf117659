import { saslClientProperties } from './sasl.js';
import type { LabOptions } from './types.js';

const BYTES = 'org.apache.kafka.connect.converters.ByteArrayConverter';

/** Properties of one Connect worker, whose own cluster is its flow's *target*: it must be alive when the source is not. */
export function connectProperties(config: {
  readonly bootstrapServers: readonly string[];
  readonly port: number;
  readonly brokers: number;
  readonly security: NonNullable<LabOptions['security']>;
}): Record<string, string | number> {
  const clientPrefixes = ['', 'producer.', 'consumer.', 'admin.'];
  const sasl = config.security === 'sasl' ? clientPrefixes.map((prefix) => saslClientProperties('mm2', prefix)) : [];
  return Object.assign(
    {
      'bootstrap.servers': config.bootstrapServers.join(','),
      'group.id': 'connect',
      listeners: `http://127.0.0.1:${config.port}`,
      'rest.advertised.host.name': '127.0.0.1',
      'rest.advertised.port': config.port,
      'key.converter': BYTES,
      'value.converter': BYTES,
      'offset.storage.topic': 'connect-offsets',
      'config.storage.topic': 'connect-configs',
      'status.storage.topic': 'connect-status',
      'offset.storage.partitions': 5,
      'status.storage.partitions': 5,
      'offset.storage.replication.factor': config.brokers,
      'config.storage.replication.factor': config.brokers,
      'status.storage.replication.factor': config.brokers,
      'offset.flush.interval.ms': 1000,
      'scheduled.rebalance.max.delay.ms': 0,
      'plugin.discovery': 'service_load',
    },
    ...sasl,
  );
}
