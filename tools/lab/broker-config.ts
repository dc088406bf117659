import { saslBrokerProperties } from './sasl.js';
import { labIdcs, type LabIdc, type LabOptions } from './types.js';

export type BrokerPorts = {
  /** Per viewing IDC: the broker's own port, and the proxy's port in front of it, which is what the broker advertises. */
  readonly views: Readonly<Record<LabIdc, { readonly own: number; readonly proxied: number }>>;
  /** Between brokers, and for the lab's own calls: past the proxy, so that neither a cut nor a count meets it. */
  readonly internal: number;
  readonly controller: number;
};

export type BrokerConfig = {
  readonly nodeId: number;
  readonly ports: BrokerPorts;
  /** Of all brokers of the cluster, this one included: node id → controller port. */
  readonly quorum: ReadonlyMap<number, number>;
  readonly dataDir: string;
  readonly sessionProfile: NonNullable<LabOptions['sessionProfile']>;
  readonly security: NonNullable<LabOptions['security']>;
};

const HOST = '127.0.0.1';

export function viewListener(idc: LabIdc): string {
  return `VIEW_${idc.toUpperCase()}`;
}

/**
 * server.properties of one broker in KRaft combined mode; the same file works on 3.9 and 4.x.
 * One listener per viewing IDC, advertised at that viewer's proxy port: so a cut between two IDCs
 * holds for every Kafka client by where it stands.
 */
export function brokerProperties(config: BrokerConfig): Record<string, string | number | boolean> {
  const { ports } = config;
  const brokers = config.quorum.size;
  const listeners = [...labIdcs.map(viewListener), 'INTERNAL', 'CONTROLLER'];
  const own = [
    ...labIdcs.map((idc) => `${viewListener(idc)}://${HOST}:${ports.views[idc].own}`),
    `INTERNAL://${HOST}:${ports.internal}`,
  ];
  const advertised = [
    ...labIdcs.map((idc) => `${viewListener(idc)}://${HOST}:${ports.views[idc].proxied}`),
    `INTERNAL://${HOST}:${ports.internal}`,
  ];
  const protocol = config.security === 'sasl' ? 'SASL_PLAINTEXT' : 'PLAINTEXT';
  return {
    'process.roles': 'broker,controller',
    'node.id': config.nodeId,
    'controller.quorum.voters': [...config.quorum].map(([id, port]) => `${id}@${HOST}:${port}`).join(','),
    listeners: [...own, `CONTROLLER://${HOST}:${ports.controller}`].join(','),
    'advertised.listeners': advertised.join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
    'listener.security.protocol.map': listeners.map((name) => `${name}:${protocol}`).join(','),
    'log.dirs': config.dataDir,
    'num.partitions': 3,
    'default.replication.factor': brokers,
    'min.insync.replicas': brokers === 3 ? 2 : 1,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': brokers,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': brokers,
    'transaction.state.log.min.isr': brokers === 3 ? 2 : 1,
    'share.coordinator.state.topic.replication.factor': brokers,
    'share.coordinator.state.topic.min.isr': brokers === 3 ? 2 : 1,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
    ...(config.sessionProfile === 'fast' ? fastSession : {}),
    ...(config.security === 'sasl' ? saslBrokerProperties(listeners) : {}),
  };
}

/** A dead broker is fenced after 3 s and a dead quorum leader replaced after about 1 s, so that a test need not wait. */
const fastSession = {
  'broker.session.timeout.ms': 3000,
  'broker.heartbeat.interval.ms': 500,
  'controller.quorum.election.timeout.ms': 500,
  'controller.quorum.fetch.timeout.ms': 1000,
} as const;
