import type { ClusterSettings, FencingFacts, FlowSettings, TopicSettings } from '#failover';
import type * as pb from './generated/pointsman/agent/v1/agent.js';
import { fenceKind } from './goal.mapping.js';
import { orNull, orUndefined } from './wire.js';

type ClusterSettingsUpdate = Readonly<ClusterSettings & { cluster: string }>;
type FlowSettingsUpdate = Readonly<FlowSettings & { group: string }>;

export const clusterSettingsToWire = (s: ClusterSettingsUpdate): pb.ClusterSettings => ({
  cluster: s.cluster,
  brokerSessionTimeoutMs: orUndefined(s.brokerSessionTimeoutMs),
  electionTimeoutMs: orUndefined(s.electionTimeoutMs),
  fencing: s.fencing === undefined ? undefined : fencingToWire(s.fencing),
  initialRebalanceDelayMs: s.initialRebalanceDelayMs ?? undefined,
  topics: s.topics === undefined ? undefined : { topics: s.topics.map(topicToWire) },
  logDirSpace: s.logDirSpace,
});

export const clusterSettingsFromWire = (s: pb.ClusterSettings): ClusterSettingsUpdate => ({
  cluster: s.cluster,
  brokerSessionTimeoutMs: orNull(s.brokerSessionTimeoutMs),
  electionTimeoutMs: orNull(s.electionTimeoutMs),
  ...(s.fencing === undefined ? {} : { fencing: fencingFromWire(s.fencing) }),
  ...(s.initialRebalanceDelayMs === undefined ? {} : { initialRebalanceDelayMs: s.initialRebalanceDelayMs }),
  ...(s.topics === undefined ? {} : { topics: s.topics.topics.map(topicFromWire) }),
  ...(s.logDirSpace === undefined ? {} : { logDirSpace: s.logDirSpace }),
});

export const flowSettingsToWire = (s: FlowSettingsUpdate): pb.FlowSettings => ({
  group: s.group,
  from: s.from,
  to: s.to,
  syncsTopicAcls: orUndefined(s.syncsTopicAcls),
  excludesMaxMessageBytes: orUndefined(s.excludesMaxMessageBytes),
  foreignTopics: s.foreignTopics,
  connectorConfig: s.connectorConfig === undefined ? undefined : { values: s.connectorConfig },
});

export const flowSettingsFromWire = (s: pb.FlowSettings): FlowSettingsUpdate => ({
  group: s.group,
  from: s.from,
  to: s.to,
  syncsTopicAcls: orNull(s.syncsTopicAcls),
  excludesMaxMessageBytes: orNull(s.excludesMaxMessageBytes),
  foreignTopics: s.foreignTopics,
  ...(s.connectorConfig === undefined ? {} : { connectorConfig: s.connectorConfig.values }),
});

const topicToWire = (t: TopicSettings): pb.TopicSettings => ({
  topic: t.topic,
  partitions: t.partitions,
  replicationFactor: orUndefined(t.replicationFactor),
  minIsr: orUndefined(t.minIsr),
  maxMessageBytes: orUndefined(t.maxMessageBytes),
  retentionMs: orUndefined(t.retentionMs),
  retentionBytes: orUndefined(t.retentionBytes),
});

const topicFromWire = (t: pb.TopicSettings): TopicSettings => ({
  topic: t.topic,
  partitions: t.partitions,
  replicationFactor: orNull(t.replicationFactor),
  minIsr: orNull(t.minIsr),
  maxMessageBytes: orNull(t.maxMessageBytes),
  retentionMs: orNull(t.retentionMs),
  retentionBytes: orNull(t.retentionBytes),
});

const fencingToWire = (f: FencingFacts): pb.FencingFacts => ({
  authorizer: orUndefined(f.authorizer),
  denyByDefault: orUndefined(f.denyByDefault),
  agentIsSuperUser: orUndefined(f.agentIsSuperUser),
  writers: f.writers,
  offers: f.offers.map((o) => ({ ...o, kind: fenceKind.toWire(o.kind) as pb.FenceKind })),
  cannotWrite: f.cannotWrite ?? [],
});

/** An offer of a kind that this version does not know is none. */
const fencingFromWire = (f: pb.FencingFacts): FencingFacts => ({
  authorizer: orNull(f.authorizer),
  denyByDefault: orNull(f.denyByDefault),
  agentIsSuperUser: orNull(f.agentIsSuperUser),
  writers: f.writers,
  offers: f.offers.flatMap((o) => {
    const kind = fenceKind.fromWire(o.kind);
    return kind === null ? [] : [{ kind, usable: o.usable, reason: o.reason }];
  }),
  ...(f.cannotWrite.length === 0 ? {} : { cannotWrite: f.cannotWrite }),
});
