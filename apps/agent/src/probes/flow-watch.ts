import type { ClusterName, Ms } from '#health';
import { mm2Topics, topicMatcher, type ConnectClient } from '#kafka';
import type { WatchGroup } from '#failover';
import type { FlowObservation, FlowSettingsObservation } from '../ports.js';
import { readFlowSettings, sourceAlias } from './connectors.js';
import type { EndOffsetBoard } from './end-offset-board.js';
import type { OffsetTable } from './offset-table.js';
import { ReplicationProbe } from './replication.probe.js';

const CONFIG_EVERY_MS = 30_000;

type Flow = {
  readonly group: string;
  readonly from: ClusterName;
  readonly to: ClusterName;
  readonly source: string;
  readonly checkpoint: string;
  readonly isOfGroup: (topic: string) => boolean;
  readonly probe: ReplicationProbe;
  config: Readonly<Record<string, string>> | null;
  configAskedAtMs: Ms | null;
  heartbeatAtMs: Ms | null;
};

/** The flows whose target is one cluster: asked of that cluster's Connect worker, judged with the source's end offsets. */
export class FlowWatch {
  readonly #cluster: ClusterName;
  readonly #connect: ConnectClient | null;
  readonly #board: EndOffsetBoard;
  #flows = new Map<string, Flow>();

  constructor(cluster: ClusterName, connect: ConnectClient | null, board: EndOffsetBoard) {
    this.#cluster = cluster;
    this.#connect = connect;
    this.#board = board;
  }

  setWatch(groups: readonly WatchGroup[]): void {
    const next = new Map<string, Flow>();
    for (const group of groups) {
      for (const flow of group.flows) {
        if (flow.to !== this.#cluster) continue;
        const { source, checkpoint } = flow.connectors;
        const key = JSON.stringify([group.name, flow.from, source, checkpoint]);
        const known = this.#flows.get(key);
        next.set(key, {
          group: group.name,
          from: flow.from,
          to: flow.to,
          source,
          checkpoint,
          isOfGroup: topicMatcher(group.topics),
          probe: known?.probe ?? new ReplicationProbe({ from: flow.from, to: flow.to, source, checkpoint }),
          config: known?.config ?? null,
          configAskedAtMs: known?.configAskedAtMs ?? null,
          heartbeatAtMs: known?.heartbeatAtMs ?? null,
        });
      }
    }
    this.#flows = next;
  }

  /** Topics whose end offsets on the target tell that a heartbeat came through. */
  heartbeatTopics(): ReadonlySet<string> {
    return new Set([...this.#flows.values()].map((f) => mm2Topics.copiedHeartbeats(sourceAlias(f.config, f.from))));
  }

  /** One round of questions to the worker; silence ages what is known. */
  async ask(nowMs: Ms, deadlineMs: Ms): Promise<void> {
    const connect = this.#connect;
    if (connect === null) return;
    await Promise.all(
      [...this.#flows.values()].map((flow) =>
        Promise.all([
          flow.probe.ask(connect, sourceAlias(flow.config, flow.from), nowMs, deadlineMs),
          this.#askConfig(connect, flow, nowMs, deadlineMs),
        ]),
      ),
    );
  }

  /** Looks for heartbeats that arrived since the last round. `ends` are the target's, `before` as they were. */
  noteHeartbeats(ends: OffsetTable, before: ReadonlyMap<string, number>): void {
    for (const flow of this.#flows.values()) {
      const topic = mm2Topics.copiedHeartbeats(sourceAlias(flow.config, flow.from));
      const end = ends.value(topic, 0);
      const last = before.get(topic);
      if (end !== null && last !== undefined && end > last) flow.heartbeatAtMs = ends.atMs(topic, 0);
    }
  }

  observations(nowMs: Ms): readonly FlowObservation[] {
    return [...this.#flows.values()].map((flow) => ({
      group: flow.group,
      facts: flow.probe.facts(
        {
          source: this.#board.entry(flow.from),
          isOfGroup: flow.isOfGroup,
          heartbeatAtMs: flow.heartbeatAtMs,
        },
        nowMs,
      ),
    }));
  }

  settings(): readonly FlowSettingsObservation[] {
    return [...this.#flows.values()].map((flow) => ({
      group: flow.group,
      facts: readFlowSettings(flow, flow.config, this.#board.entry(flow.from).topics, flow.isOfGroup),
    }));
  }

  async #askConfig(connect: ConnectClient, flow: Flow, nowMs: Ms, deadlineMs: Ms): Promise<void> {
    if (flow.config !== null && flow.configAskedAtMs !== null && nowMs - flow.configAskedAtMs < CONFIG_EVERY_MS) return;
    flow.configAskedAtMs = nowMs;
    const config = await connect.config(flow.source, deadlineMs).catch(() => null); // unknown: the last one stands
    if (config !== null) flow.config = config;
  }
}
