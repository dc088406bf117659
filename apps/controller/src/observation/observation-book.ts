import type { AgentId, ClusterName, ClusterReport, Ms, SelfHealth } from '#health';
import type { ClusterSettings, FenceFacts, FlowSettings, GoalStatus } from '#failover';
import type { AgentReport, ConsumerGroupUpdate, SelfFenceUpdate } from '#rpc';
import { FlowRecord } from './flow-record.js';

type At<T> = Readonly<{ value: T; atMs: Ms }>; // received, by this process's monotonic clock

/** Everything one agent last said. Only what belongs to configured clusters, groups and goals is kept. */
export type AgentRecord = {
  readonly agent: AgentId;
  reportAtMs: Ms | null;
  goodbyeAtMs: Ms | null; // null: none since its last hello
  self: SelfHealth;
  readonly clusters: Map<ClusterName, At<ClusterReport>>;
  readonly flows: Map<string, FlowRecord>; // flowKey
  readonly fences: Map<string, At<FenceFacts>>; // fenceKey
  readonly clusterSettings: Map<ClusterName, At<ClusterSettings>>;
  readonly flowSettings: Map<string, At<FlowSettings>>; // flowKey
  readonly statuses: Map<string, At<GoalStatus>>; // goalKey
  readonly consumerGroups: Map<string, At<ConsumerGroupUpdate>>; // consumerKey
  readonly selfFences: Map<string, SelfFenceUpdate>; // fenceKey; as its newest report says, whole
};

export const flowKey = (group: string, from: ClusterName, to: ClusterName): string => `${group}/flow/${from}->${to}`;
export const fenceKey = (group: string, cluster: ClusterName): string => `${group}/cluster/${cluster}`;

export const consumerKey = (c: Readonly<{ group: string; cluster: ClusterName; consumerGroup: string }>): string =>
  `${fenceKey(c.group, c.cluster)}/consumer/${c.consumerGroup}`;

export type BookScope = Readonly<{
  clusters: ReadonlySet<ClusterName>;
  fenceKeys: ReadonlySet<string>; // also the keys of cluster goals
  flowKeys: ReadonlySet<string>; // also the keys of flow goals
  consumerKeys: ReadonlySet<string>;
}>;

/**
 * The newest report of each agent with its receive time. Ages are reported age + time since receipt on this process's
 * own clock: no other machine's clock is ever compared. Memory is bounded by the configuration, not by what is sent.
 */
export class ObservationBook {
  readonly #scope: BookScope;
  readonly #agents = new Map<AgentId, AgentRecord>();

  constructor(agents: readonly AgentId[], scope: BookScope) {
    this.#scope = scope;
    for (const agent of agents) this.#agents.set(agent, emptyRecord(agent));
  }

  /** Null: not configured. */
  agent(agent: AgentId): AgentRecord | null {
    return this.#agents.get(agent) ?? null;
  }

  hello(agent: AgentId): void {
    const record = this.#agents.get(agent);
    if (record !== undefined) record.goodbyeAtMs = null;
  }

  goodbye(agent: AgentId, now: Ms): void {
    const record = this.#agents.get(agent);
    if (record !== undefined) record.goodbyeAtMs = now;
  }

  /** @returns false when it is of no agent or goal that is configured. */
  status(agent: AgentId, status: GoalStatus, now: Ms): boolean {
    const { fenceKeys, flowKeys } = this.#scope;
    const record = this.#agents.get(agent);
    if (record === undefined || (!fenceKeys.has(status.key) && !flowKeys.has(status.key))) return false;
    record.statuses.set(status.key, { value: status, atMs: now });
    return true;
  }

  /** @returns false when the report builds on something that this process never got: a full one is wanted. */
  report(agent: AgentId, report: AgentReport, now: Ms): boolean {
    const record = this.#agents.get(agent);
    if (record === undefined) return true;
    if (report.full) forget(record);
    record.reportAtMs = now;
    record.self = report.self;
    for (const cluster of report.clusters) {
      if (this.#scope.clusters.has(cluster.cluster))
        record.clusters.set(cluster.cluster, { value: cluster, atMs: now });
    }
    for (const { group, ...facts } of report.fences) {
      const key = fenceKey(group, facts.cluster);
      if (this.#scope.fenceKeys.has(key)) record.fences.set(key, { value: facts, atMs: now });
    }
    for (const { cluster, ...settings } of report.clusterSettings) {
      if (this.#scope.clusters.has(cluster)) record.clusterSettings.set(cluster, { value: settings, atMs: now });
    }
    for (const { group, ...settings } of report.flowSettings) {
      const key = flowKey(group, settings.from, settings.to);
      if (this.#scope.flowKeys.has(key)) record.flowSettings.set(key, { value: settings, atMs: now });
    }
    for (const consumer of report.consumerGroups) {
      const key = consumerKey(consumer);
      if (this.#scope.consumerKeys.has(key)) record.consumerGroups.set(key, { value: consumer, atMs: now });
    }
    record.selfFences.clear();
    for (const fence of report.selfFences) {
      const key = fenceKey(fence.group, fence.cluster);
      if (this.#scope.fenceKeys.has(key)) record.selfFences.set(key, fence);
    }
    return this.#putFlows(record, report, now);
  }

  #putFlows(record: AgentRecord, report: AgentReport, now: Ms): boolean {
    let complete = true;
    for (const flow of report.flows) {
      const key = flowKey(flow.group, flow.from, flow.to);
      if (!this.#scope.flowKeys.has(key)) continue;
      const known = record.flows.get(key);
      if (known !== undefined) known.put(flow, now);
      else record.flows.set(key, new FlowRecord(flow, now));
      if (known === undefined && !flow.whole) complete = false;
    }
    return complete;
  }
}

/** A full report replaces all; the statuses follow it one by one. */
function forget(record: AgentRecord): void {
  record.clusters.clear();
  record.flows.clear();
  record.fences.clear();
  record.clusterSettings.clear();
  record.flowSettings.clear();
  record.consumerGroups.clear();
}

const emptyRecord = (agent: AgentId): AgentRecord => ({
  agent,
  reportAtMs: null,
  goodbyeAtMs: null,
  self: { healthy: false, reasons: ['never heard'] },
  clusters: new Map(),
  flows: new Map(),
  fences: new Map(),
  clusterSettings: new Map(),
  flowSettings: new Map(),
  statuses: new Map(),
  consumerGroups: new Map(),
  selfFences: new Map(),
});
