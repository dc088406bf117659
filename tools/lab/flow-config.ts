import { saslClientProperties } from './sasl.js';
import type { LabFlow, LabOptions } from './types.js';

const BYTES = 'org.apache.kafka.connect.converters.ByteArrayConverter';
const PACKAGE = 'org.apache.kafka.connect.mirror';

export const mirrorClasses = {
  source: `${PACKAGE}.MirrorSourceConnector`,
  checkpoint: `${PACKAGE}.MirrorCheckpointConnector`,
  heartbeat: `${PACKAGE}.MirrorHeartbeatConnector`,
} as const;

/** MirrorMaker 2's default list, which this key replaces as a whole, and the setting that Pointsman's fence uses. */
const excludedTopicConfigs = [
  'follower\\.replication\\.throttled\\.replicas',
  'leader\\.replication\\.throttled\\.replicas',
  'message\\.timestamp\\.difference\\.max\\.ms',
  'message\\.timestamp\\.type',
  'unclean\\.leader\\.election\\.enable',
  'min\\.insync\\.replicas',
  'max\\.message\\.bytes',
].join(',');

/** The configuration that all three connectors of a flow share (each takes what it knows). */
export function flowConfig(
  flow: LabFlow,
  cluster: {
    readonly sourceBootstrap: readonly string[];
    readonly targetBootstrap: readonly string[];
    readonly replicationFactor: number;
    readonly security: NonNullable<LabOptions['security']>;
  },
): Record<string, string> {
  const policy = flow.naming === 'prefixed' ? 'DefaultReplicationPolicy' : 'IdentityReplicationPolicy';
  const config: Record<string, string | undefined> = {
    'tasks.max': '1',
    'source.cluster.alias': flow.from,
    'target.cluster.alias': flow.to,
    'source.cluster.bootstrap.servers': cluster.sourceBootstrap.join(','),
    'target.cluster.bootstrap.servers': cluster.targetBootstrap.join(','),
    'replication.policy.class': `${PACKAGE}.${policy}`,
    'key.converter': BYTES,
    'value.converter': BYTES,
    'header.converter': BYTES, // the default one writes headers as base64 text
    topics: flow.topics.map(asPattern).join(','),
    groups: flow.consumerGroups.map(asPattern).join(','),
    'groups.exclude': 'console-consumer-.*,connect-.*,__.*,pointsman-.*',
    'offset-syncs.topic.location': 'target',
    'offset.lag.max': '10',
    'refresh.topics.interval.seconds': '5',
    'refresh.groups.interval.seconds': '5',
    'emit.checkpoints.interval.seconds': '1',
    'emit.heartbeats.interval.seconds': '1',
    'sync.group.offsets.enabled': 'true',
    'sync.group.offsets.interval.seconds': '1',
    'sync.topic.acls.enabled': 'false',
    'sync.topic.configs.enabled': 'true',
    'sync.topic.configs.interval.seconds': '5',
    'config.properties.exclude': excludedTopicConfigs,
    'replication.factor': String(cluster.replicationFactor),
    'offset-syncs.topic.replication.factor': String(cluster.replicationFactor),
    'checkpoints.topic.replication.factor': String(cluster.replicationFactor),
    'heartbeats.topic.replication.factor': String(cluster.replicationFactor),
    // Without these a stop takes 41 s while the source is dead, exactly when it is wanted.
    'source.admin.request.timeout.ms': '2000',
    'source.admin.default.api.timeout.ms': '3000',
    'source.consumer.request.timeout.ms': '2500',
    'source.consumer.default.api.timeout.ms': '3000',
    ...(cluster.security === 'sasl' ? saslClientProperties('mm2', 'source.cluster.') : {}),
    ...(cluster.security === 'sasl' ? saslClientProperties('mm2', 'target.cluster.') : {}),
    ...flow.overrides,
  };
  return Object.fromEntries(
    Object.entries(config).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** A literal name, or one with a trailing `*`, as the regular expression that MirrorMaker 2 wants. */
function asPattern(name: string): string {
  const literal = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return name.endsWith('*') ? `${literal(name.slice(0, -1))}.*` : literal(name);
}
