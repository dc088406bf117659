import { ConnectClient, PlatformaticEyes, PlatformaticHands } from '#kafka';
import type { AgentClusterConfig, AgentConfig } from '../config/agent-config.js';
import { ClusterIds } from '../cluster-ids.js';
import type { ClusterProbe, MonotonicClock, SelfMonitor } from '../ports.js';
import { KafkaClusterProbe } from './cluster-probe.js';
import { AuthorizerProbe } from './authorizer.probe.js';
import type { EndOffsetBoard } from './end-offset-board.js';
import { FenceWatch } from './fence-watch.js';
import { NodeSelfMonitor } from './self.probe.js';

export { EndOffsetBoard } from './end-offset-board.js';

/** What all cluster probes of one agent share. */
export type ProbeSurroundings = Readonly<{
  config: AgentConfig;
  clock: MonotonicClock;
  self: SelfMonitor;
  board: EndOffsetBoard; // one for all clusters: a flow's lag needs both sides
  ids?: ClusterIds; // those of the whole agent; default: read from its folder
  /** For the log: what a probe could not do, null when it could again. Said once per change. */
  onTrouble?: (cluster: string, trouble: string | null) => void;
}>;

export function createSelfMonitor(config: AgentConfig, clock: MonotonicClock): SelfMonitor {
  return new NodeSelfMonitor({
    idc: config.agent.idc,
    periodMs: config.probe.periodMs,
    timeoutMs: config.probe.timeoutMs,
    referenceTargets: config.referenceTargets,
    clock,
  });
}

/** The probe of one cluster over its own sockets, watching nothing until `setWatch`. */
export function createClusterProbe(cluster: AgentClusterConfig, around: ProbeSurroundings): ClusterProbe {
  const { config, clock, self, board, ids = new ClusterIds(config.agent.dataDir) } = around;
  const connection = {
    clientId: `pointsman-${config.agent.id}`,
    bootstrapServers: cluster.bootstrapServers,
    security: cluster.security,
    identity: ids.of(cluster.name),
  };
  const hands = new PlatformaticHands(connection);
  const ordinary = cluster.ordinary === null ? null : new PlatformaticHands({ ...connection, ...cluster.ordinary });
  const fences = new FenceWatch({
    cluster: cluster.name,
    hands,
    authorizer: new AuthorizerProbe(hands, ordinary),
    fence: cluster.fence,
    hasOrdinary: ordinary !== null,
  });
  return new KafkaClusterProbe({
    cluster: cluster.name,
    bootstrapServers: cluster.bootstrapServers,
    agentId: config.agent.id,
    agentIdc: config.agent.idc,
    timeoutMs: config.probe.timeoutMs,
    clock,
    self,
    eyes: new PlatformaticEyes(connection),
    hands,
    ordinary,
    fences,
    connect: cluster.connectUrl === null ? null : new ConnectClient(cluster.connectUrl),
    mirror: new PlatformaticHands({ ...connection, clientId: `${connection.clientId}-mirror` }),
    board,
    onTrouble: (trouble) => around.onTrouble?.(cluster.name, trouble),
  });
}
