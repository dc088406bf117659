import type { AgentId, ClusterName } from '#health';
import type { Command, CommandResult, Goal, GoalStatus, Memory, Snapshot } from '#failover';

/** The eyes: everything agents have said, aged to one instant. */
export interface SnapshotSource {
  /** Stamps the one `now`. Throws only for an unknown group. */
  build(group: string, memory: Memory | null): Snapshot;
}

/** The hands: agents carry out goals and commands of the leader. */
export interface AgentGateway {
  /** Agents with a live session to this process that hold credentials of the cluster; its own IDC's agent first. */
  agentsFor(cluster: ClusterName): readonly AgentId[];
  /** Sends one command and waits for its result or its deadline. A lost session is `{ok: false, code: 'unavailable'}`. */
  command(agent: AgentId, command: Command, signal?: AbortSignal): Promise<CommandResult>;
  /** Replaces the whole goal set (leader only); each agent is sent the part that is its own. */
  setGoals(term: number, goals: readonly Goal[]): void;
  /** Newest status that any agent reported for the goal key; its own cluster's agent preferred. */
  goalStatus(key: string): GoalStatus | null;
  sessions(): readonly AgentSession[];
}

export type AgentSession = Readonly<{
  agent: AgentId;
  idc: string;
  bootId: string;
  protocolVersion: number;
  connected: boolean;
  lastReportAgeMs: number | null;
  clusters: readonly ClusterName[]; // for which it holds credentials
  goodbye: boolean;
}>;

export const SNAPSHOT_SOURCE = Symbol('SnapshotSource');
export const AGENT_GATEWAY = Symbol('AgentGateway');
