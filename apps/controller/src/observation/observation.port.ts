import type { AgentId, ClusterName, Ms } from '#health';
import type { Command, CommandResult, Goal, GoalStatus, GroupFacts, LeaseGrant, Memory, Snapshot } from '#failover';

/** The eyes: everything agents have said, aged to one instant. */
export interface SnapshotSource {
  /** Stamps the one `now`. Throws only for an unknown group. */
  build(group: string, memory: Memory | null): Snapshot;
}

/** The hands: agents carry out goals and commands of the leader. */
export interface AgentGateway {
  /** Agents with a live session to this process that hold credentials of the cluster; its own IDC's agent first, witnesses last. */
  agentsFor(cluster: ClusterName): readonly AgentId[];
  /**
   * Sends one command and waits for its result or its deadline; `deadlineMs` is the time allowed from this call. A lost
   * session, or not leading, is `{ok: false, code: 'unavailable'}`. Never rejects.
   */
  command(agent: AgentId, command: Command, signal?: AbortSignal): Promise<CommandResult>;
  /**
   * Replaces the whole goal set (leader only); each agent is sent the part that is its own, now and at every handshake of
   * this term, and only while this process leads it. Before the first call of a term no agent is sent anything: an empty set
   * would drop all goals. Goals of an earlier term than the last call's are ignored.
   */
  setGoals(term: number, goals: readonly Goal[]): void;
  /**
   * One sign of life (leader only): each grant goes to the agents of its cluster's own IDC that have a session, in a
   * numbered token. What is not granted is not refreshed.
   */
  issueToken(term: number, grants: readonly LeaseGrant[]): void;
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

/** How far the services' consumer groups are, for people: no decision is made by it. */
export interface ConsumerLags {
  /** Per consumer group and cluster the youngest word of any agent; those that nobody could read are left out. */
  of(group: string): readonly ConsumerLag[];
}

export type ConsumerLag = Readonly<{
  cluster: ClusterName;
  consumerGroup: string;
  lagRecords: number | null; // behind the ends of the group's topics; null: nothing committed there, or not known
  observedAgeMs: Ms;
  committedAgeMs: Ms | null; // since an offset was seen to move; null: not seen yet
  members?: number; // absent: not known
}>;

/** What a snapshot needs besides the agents' reports; each answer is this process's newest knowledge, without waiting. */
export interface GroupFactsSource {
  /** Throws only for an unknown group. */
  facts(group: string): GroupFacts;
  /** Controllers alive by the store → digest of their policy. */
  policyDigests(): Readonly<Record<string, string>>;
  /** Age of the last good write canary of the group's authoritative config center, and the last error. */
  configCenter(group: string): Readonly<{ writableAgeMs: Ms | null; error: string | null }>;
}

export const GROUP_FACTS_SOURCE = Symbol('GroupFactsSource');
export const SNAPSHOT_SOURCE = Symbol('SnapshotSource');
export const CONSUMER_LAGS = Symbol('ConsumerLags');
export const AGENT_GATEWAY = Symbol('AgentGateway');
