import type { ClusterName } from '#health';
import type { WatchGroup } from '#failover';
import {
  ConnectClient,
  PlatformaticHands,
  PlatformaticRecordLog,
  type ClusterConnectionConfig,
  type ClusterHands,
  type RecordLog,
} from '#kafka';
import type { ClusterIds } from '../cluster-ids.js';
import type { AgentClusterConfig, KafkaSecurity } from '../config/agent-config.js';
import { AuthorizerProbe } from '../probes/authorizer.probe.js';
import { AclFence } from './acl.fence.js';
import { ClusterFenceHand } from './cluster-fence.hand.js';
import { EpochTopic } from './epoch-topic.js';
import type { FenceJournal } from './fence-journal.js';
import { FlowHand } from './flow.hand.js';
import { GroupReaders } from './group-readers.js';
import { HookFence } from './hook.fence.js';
import type { HookJournal } from './hook-journal.js';
import { TopicConfigFence } from './topic-config.fence.js';

/** What this agent's configuration cannot carry out, whatever the cluster says. */
export class UnsupportedError extends Error {
  readonly code = 'POINTSMAN_AGENT_UNSUPPORTED';
}

/** What reaches one cluster: connections, and the hands that are made of them. */
export type ClusterTools = Readonly<{
  config: AgentClusterConfig;
  hands: ClusterHands;
  log: RecordLog; // connections of its own: a long read holds up no fence
  ordinary: ClusterHands | null; // null: no principal of its own to prove with
  connect: ConnectClient | null;
  fence: ClusterFenceHand;
  flow: FlowHand | null;
  epochs: EpochTopic;
}>;

/** Cluster → its tools. @throws {UnsupportedError} for a cluster without credentials. */
export type ToolsOf = (cluster: ClusterName) => ClusterTools;

export type Around = Readonly<{
  agentId: string;
  ids: ClusterIds;
  journal: FenceJournal;
  hookJournal: HookJournal;
  watched: () => readonly WatchGroup[];
}>;

export function toolsFor(config: AgentClusterConfig, around: Around): ClusterTools {
  const { agentId, ids, journal, hookJournal, watched } = around;
  const { name, bootstrapServers } = config;
  const connection = { clientId: `pointsman-${agentId}-hands`, bootstrapServers, identity: ids.of(name) };
  const hands = new PlatformaticHands({ ...connection, security: config.security });
  const connect = config.connectUrl === null ? null : new ConnectClient(config.connectUrl);
  const ordinary = ordinaryHands(connection, config, hands);
  const hasOrdinary = ordinary !== null && ordinary !== hands;
  const probe = new AuthorizerProbe(hands, ordinary);
  const exempt = config.fence?.exempt ?? null;
  const readers = new GroupReaders(hands, probe, { exempt: exempt ?? [], own: ownPrincipal(config.security) });
  const fences = [
    new AclFence({ hands, probe, exempt, hasOrdinary, readers }),
    new TopicConfigFence(hands, journal),
    new HookFence(config.fence?.hook ?? null, hookJournal, watched),
  ];
  return {
    config,
    hands,
    ordinary,
    log: new PlatformaticRecordLog({ ...connection, security: config.security }),
    connect,
    fence: new ClusterFenceHand(fences),
    flow: connect === null ? null : new FlowHand(connect, hands),
    epochs: new EpochTopic(hands),
  };
}

/** Without SASL or client certificates everybody is the same anonymous principal, the agent included. */
function ordinaryHands(
  connection: Omit<ClusterConnectionConfig, 'security'>,
  { ordinary, security }: AgentClusterConfig,
  own: ClusterHands,
): ClusterHands | null {
  if (ordinary !== null) return new PlatformaticHands({ ...connection, ...ordinary });
  return security.sasl === null && (security.tls?.cert ?? null) === null ? own : null;
}

/** As brokers name the agent; null: by its certificate, which they may map to any name. */
function ownPrincipal({ sasl, tls }: KafkaSecurity): string | null {
  if (sasl !== null) return `User:${sasl.username}`;
  return (tls?.cert ?? null) === null ? 'User:ANONYMOUS' : null;
}

export async function closeTools({ hands, log, ordinary, connect }: ClusterTools): Promise<void> {
  log.close();
  hands.close();
  if (ordinary !== hands) ordinary?.close();
  await connect?.close();
}

export const noWorker = (cluster: ClusterName): UnsupportedError =>
  new UnsupportedError(`cluster ${cluster} has no connectUrl: its worker is out of reach`);
