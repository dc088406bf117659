import type { ClusterName, Ms } from '#health';
import { DedicatedWorker, mm2Topics, topicMatcher, type ClusterHands, type ConnectClient } from '#kafka';
import type { SilentGap, WatchGroup } from '#failover';
import type { FlowObservation, FlowSettingsObservation } from '../ports.js';
import { isCopyName, readFlowSettings, sourceAlias } from './connectors.js';
import type { EndOffsetBoard } from './end-offset-board.js';
import type { OffsetTable } from './offset-table.js';
import { ReplicationProbe, type FlowWorker } from './replication.probe.js';

const CONFIG_EVERY_MS = 30_000;

/** Who can say something of a flow: its Connect worker, or the topics of a dedicated process. */
type Worker = FlowWorker & Pick<ConnectClient, 'config'>;

type Flow = {
  readonly group: string;
  readonly worker: Worker | null;
  readonly from: ClusterName;
  readonly to: ClusterName;
  readonly source: string;
  readonly checkpoint: string;
  readonly naming: 'identity' | 'default';
  readonly isOfGroup: (topic: string) => boolean;
  readonly probe: ReplicationProbe;
  config: Readonly<Record<string, string>> | null;
  checkpointConfig: Readonly<Record<string, string>> | null;
  configAskedAtMs: Ms | null;
  heartbeatAtMs: Ms | null;
  checkpointAtMs: Ms | null;
};

/** The flows whose target is one cluster: asked of that cluster's Connect worker, judged with the source's end offsets. */
export class FlowWatch {
  readonly #cluster: ClusterName;
  readonly #connect: ConnectClient | null;
  readonly #mirror: ClusterHands; // connections of its own: what a dedicated process keeps is read beside the probes
  readonly #board: EndOffsetBoard;
  #flows = new Map<string, Flow>();

  constructor(
    cluster: ClusterName,
    { connect, mirror }: Readonly<{ connect: ConnectClient | null; mirror: ClusterHands }>,
    board: EndOffsetBoard,
  ) {
    this.#cluster = cluster;
    this.#connect = connect;
    this.#mirror = mirror;
    this.#board = board;
  }

  setWatch(groups: readonly WatchGroup[]): void {
    const next = new Map<string, Flow>();
    for (const group of groups) {
      for (const flow of group.flows) {
        if (flow.to !== this.#cluster) continue;
        const { source, checkpoint } = flow.connectors;
        const key = JSON.stringify([group.name, flow.from, source, checkpoint, flow.dedicated === true]);
        const known = this.#flows.get(key);
        next.set(key, {
          group: group.name,
          worker:
            flow.dedicated === true ? (known?.worker ?? new DedicatedWorker(this.#mirror, flow.from)) : this.#connect,
          from: flow.from,
          to: flow.to,
          source,
          checkpoint,
          naming: flow.naming,
          isOfGroup: topicMatcher(group.topics),
          probe: known?.probe ?? new ReplicationProbe({ from: flow.from, to: flow.to, source, checkpoint }),
          config: known?.config ?? null,
          checkpointConfig: known?.checkpointConfig ?? null,
          configAskedAtMs: known?.configAskedAtMs ?? null,
          heartbeatAtMs: known?.heartbeatAtMs ?? null,
          checkpointAtMs: known?.checkpointAtMs ?? null,
        });
      }
    }
    this.#flows = next;
  }

  /** Topics whose end offsets on the target tell that a heartbeat or a checkpoint came through. */
  signTopics(): ReadonlySet<string> {
    return new Set([...this.#flows.values()].flatMap((f) => Object.values(signsOf(f))));
  }

  /** Whether this cluster's topic is what a flow makes of a hot-standby topic, under the name that it has here. */
  isCopy(topic: string): boolean {
    return [...this.#flows.values()].some((f) => isCopyName(f, sourceAlias(f.config, f.from), topic));
  }

  /** Topics of a source that its flows have positions of. */
  copiedFrom(source: ClusterName): readonly string[] {
    return [...this.#flows.values()]
      .filter((flow) => flow.from === source)
      .flatMap((flow) => flow.probe.copiedTopics.filter(flow.isOfGroup));
  }

  /** One round of questions to the worker; silence ages what is known. */
  async ask(nowMs: Ms, deadlineMs: Ms): Promise<void> {
    await Promise.all(
      [...this.#flows.values()].map(async (flow) => {
        if (flow.worker === null) return;
        await Promise.all([
          flow.probe.ask(flow.worker, sourceAlias(flow.config, flow.from), nowMs, deadlineMs),
          this.#askConfig(flow.worker, flow, nowMs, deadlineMs),
        ]);
      }),
    );
  }

  /** Looks for signs that arrived since the last round. `ends` are the target's, `before` as they were. */
  noteSigns(ends: OffsetTable, before: ReadonlyMap<string, number>): void {
    for (const flow of this.#flows.values()) {
      const { heartbeats, checkpoints } = signsOf(flow);
      const arrivedAtMs = (topic: string): Ms | null => {
        const [end, last] = [ends.value(topic, 0), before.get(topic)];
        return end !== null && last !== undefined && end > last ? ends.atMs(topic, 0) : null;
      };
      flow.heartbeatAtMs = arrivedAtMs(heartbeats) ?? flow.heartbeatAtMs;
      flow.checkpointAtMs = arrivedAtMs(checkpoints) ?? flow.checkpointAtMs;
    }
  }

  observations(nowMs: Ms): readonly FlowObservation[] {
    return [...this.#flows.values()].map((flow) => ({
      group: flow.group,
      facts: {
        ...gapsOf(this.#board.silentGaps(flow)),
        ...flow.probe.facts(
          {
            source: this.#board.entry(flow.from),
            isOfGroup: flow.isOfGroup,
            heartbeatAtMs: flow.heartbeatAtMs,
          },
          nowMs,
        ),
        ...(flow.checkpointAtMs === null ? {} : { checkpointAgeMs: nowMs - flow.checkpointAtMs }),
      },
    }));
  }

  settings(): readonly FlowSettingsObservation[] {
    return [...this.#flows.values()].map((flow) => ({
      group: flow.group,
      facts: readFlowSettings(
        flow,
        { source: flow.config, checkpoint: flow.checkpointConfig },
        this.#board.entry(flow.from).topics,
        flow.isOfGroup,
      ),
    }));
  }

  async #askConfig(worker: Worker, flow: Flow, nowMs: Ms, deadlineMs: Ms): Promise<void> {
    if (flow.config !== null && flow.configAskedAtMs !== null && nowMs - flow.configAskedAtMs < CONFIG_EVERY_MS) return;
    flow.configAskedAtMs = nowMs;
    const [config, checkpointConfig] = await Promise.all(
      [flow.source, flow.checkpoint].map((name) => worker.config(name, deadlineMs).catch(() => null)),
    );
    flow.config = config ?? flow.config; // unknown: the last one stands
    flow.checkpointConfig = checkpointConfig ?? flow.checkpointConfig;
  }
}

const gapsOf = (gaps: readonly SilentGap[]) => (gaps.length === 0 ? {} : { gaps });

const signsOf = (flow: Pick<Flow, 'config' | 'from'>) => {
  const alias = sourceAlias(flow.config, flow.from);
  return { heartbeats: mm2Topics.copiedHeartbeats(alias), checkpoints: mm2Topics.checkpoints(alias) };
};
