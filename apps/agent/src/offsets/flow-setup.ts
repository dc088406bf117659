import type { ClusterName, Ms } from '#health';
import { checkpointsTopic, namingOf, offsetSyncsTopic, type TopicNaming, type WatchGroup } from '#failover';
import { ConnectError, type ConnectClient } from '#kafka';

/** One flow of a watched group, as the configuration names it. */
export type FollowedFlow = Readonly<{
  group: string;
  epoch: number;
  from: ClusterName;
  to: ClusterName;
  naming: 'identity' | 'default';
  source: string; // name of its source connector
  dedicated: boolean;
  leaves: boolean; // it starts at the active cluster: the one that copies
}>;

export const followedFlows = (groups: readonly WatchGroup[]): readonly FollowedFlow[] =>
  groups.flatMap(({ name, epoch, active, flows }) =>
    flows.map(({ from, to, naming, connectors, dedicated }) => ({
      group: name,
      epoch,
      from,
      to,
      naming,
      source: connectors.source,
      dedicated: dedicated === true,
      leaves: from === active,
    })),
  );

export const followKey = (flow: Readonly<{ from: ClusterName; to: ClusterName; source: string }>): string =>
  `${flow.from}~${flow.to}~${flow.source}`;

/** Another group's flow between the same clusters copies other topics by other connectors: it is no way back. */
export const isWayBack = (flow: FollowedFlow, of: FollowedFlow): boolean =>
  flow.group === of.group && flow.from === of.to && flow.to === of.from;

/** How MirrorMaker does it, by its connector's configuration; by ours where the worker does not answer. */
export type FlowSetup = Readonly<{
  naming: TopicNaming;
  sourceAlias: string;
  syncsOn: 'source' | 'target';
  syncsTopic: string;
  checkpointsTopic: string; // always on the target
  /** A flow that runs exactly once puts markers of its own between the records it copies. */
  countable: boolean;
}>;

/** Null: the worker does not answer now. */
export async function readSetup(
  flow: FollowedFlow,
  connect: Pick<ConnectClient, 'config'> | null,
  deadlineMs: Ms,
): Promise<FlowSetup | null> {
  if (connect === null) return null;
  try {
    const config = await connect.config(flow.source, deadlineMs);
    return config === null ? null : setupOf(flow, config);
  } catch (error) {
    if (error instanceof ConnectError) return null;
    throw error;
  }
}

/** Without the connector's configuration: aliases are taken for the clusters' names, and the topic for standing on the target. */
export function setupOf(flow: FollowedFlow, config: Readonly<Record<string, string>> | null): FlowSetup {
  const naming = namingOf(config, flow.naming);
  const sourceAlias = config?.['source.cluster.alias'] ?? flow.from;
  const targetAlias = config?.['target.cluster.alias'] ?? flow.to;
  const syncsOn = config === null || config['offset-syncs.topic.location'] === 'target' ? 'target' : 'source';
  return {
    naming,
    sourceAlias,
    syncsOn,
    syncsTopic: offsetSyncsTopic(naming, syncsOn === 'target' ? sourceAlias : targetAlias),
    checkpointsTopic: checkpointsTopic(naming, sourceAlias),
    countable: config?.['exactly.once.support'] !== 'required',
  };
}
