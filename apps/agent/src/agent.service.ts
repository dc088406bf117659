import { DEFAULT_HEALTH_SETTINGS, type ClusterName, type IdcName, type Ms, staleAfterMs } from '#health';
import type { GoalStatus } from '#failover';
import { type Logger, newId, packageVersion } from '#platform';
import { type AgentHello, type ControllerWelcome, PROTOCOL_VERSION, type Watch } from '#rpc';
import type { AgentConfig } from './config/agent-config.js';
import { AgentMemory } from './goals/agent-memory.js';
import { CommandRunner } from './goals/command-runner.js';
import { GoalKeeper } from './goals/goal-keeper.js';
import { AgentMetrics } from './metrics/agent-metrics.js';
import { HealthServer } from './metrics/health-server.js';
import { AgentBook, type RevisedReport } from './observe/agent-book.js';
import { ClusterObserver } from './observe/cluster-observer.js';
import type { ClusterProbe, Hands, MonotonicClock, OffsetFollower, ProbeRound, SelfMonitor } from './ports.js';
import { SelfFenceKeeper, SelfFenceMemory } from './self-fence/index.js';
import { SessionHub } from './session/session-hub.js';
import { SESSION_TIMES } from './session/session-types.js';

/** The parts that touch Kafka, Connect and the operating system; made in agent.module.ts, faked in tests. */
export type AgentParts = Readonly<{
  probes: ReadonlyMap<ClusterName, ClusterProbe>;
  hands: Hands;
  self: SelfMonitor;
  offsets?: OffsetFollower;
}>;

const ALONE_AFTER_MS = 10_000;
const EFFECT_TIMEOUT_MS = 60_000;
/** Closing a cluster is never counted as faster than this. */
const SELF_FENCE_FLOOR_MS: Ms = 1_000;

/** One agent: observes, reports to every controller, keeps the leader's goals, runs its commands. Starts and stops in order. */
export class AgentService {
  readonly #config: AgentConfig;
  readonly #parts: AgentParts;
  readonly #clock: MonotonicClock;
  readonly #logger: Logger;
  readonly #bootId = newId();
  readonly #memory: AgentMemory;
  readonly #book: AgentBook;
  readonly #hub: SessionHub;
  readonly #keeper: GoalKeeper;
  readonly #runner: CommandRunner;
  readonly #selfFence: SelfFenceKeeper;
  readonly #observers: ReadonlyMap<ClusterName, ClusterObserver>;
  readonly #metrics: AgentMetrics;
  readonly #http: HealthServer | null;
  #watchJson = '';

  constructor(config: AgentConfig, parts: AgentParts, clock: MonotonicClock, logger: Logger) {
    this.#config = config;
    this.#parts = parts;
    this.#clock = clock;
    this.#logger = logger;
    const { probe } = config;
    this.#memory = new AgentMemory(config.agent.dataDir, logger);
    this.#book = new AgentBook({ ...DEFAULT_HEALTH_SETTINGS, ...probe });
    this.#keeper = new GoalKeeper({
      hands: parts.hands,
      memory: this.#memory,
      clock,
      logger,
      answeredForMs: probe.periodMs + probe.timeoutMs,
      aloneAfterMs: ALONE_AFTER_MS,
      effectTimeoutMs: EFFECT_TIMEOUT_MS,
      leaderAgeMs: () => this.#hub.leaderAgeMs(),
      leaseTtlMs: () => this.#hub.leaseTtlMs(),
      onStatus: (status: GoalStatus) => this.#hub.status(status),
      isOverdue: (group, cluster) => this.#selfFence.isOverdue(group, cluster),
    });
    this.#selfFence = this.#makeSelfFence();
    this.#runner = new CommandRunner({
      hands: parts.hands,
      logger,
      refuse: (term, epoch, group) => this.#keeper.refuseCommand(term, epoch, group),
    });
    this.#hub = this.#makeHub();
    this.#observers = new Map([...parts.probes].map(([name, p]) => [name, this.#makeObserver(name, p)]));
    this.#metrics = new AgentMetrics((set) => {
      const connected = new Set(this.connectedTo());
      for (const controller of config.controllers) set(controller, connected.has(controller));
    });
    this.#http =
      config.http === null
        ? null
        : new HealthServer({ ...config.http, registry: this.#metrics.registry, notReady: () => this.#notReady() });
  }

  /** @returns the port of /metrics, null without one. */
  async start(): Promise<number | null> {
    const port = (await this.#http?.start()) ?? null;
    this.#setWatch(this.#memory.watch);
    for (const observer of this.#observers.values()) observer.start();
    this.#hub.start();
    this.#selfFence.start();
    this.#logger.info({ agent: this.#config.agent.id, bootId: this.#bootId, metricsPort: port }, 'agent started');
    return port;
  }

  /** Controllers with a welcomed session. */
  connectedTo(): readonly string[] {
    return this.#hub.views().map((view) => view.controller);
  }

  /** Stops taking work, says goodbye to every controller, then lets go of everything. Safe to call once. */
  async stop(reason: string): Promise<void> {
    this.#runner.close();
    await this.#hub.close(reason);
    await this.#selfFence.close();
    await this.#keeper.close();
    await Promise.all([...this.#observers.values()].map((observer) => observer.close()));
    await this.#parts.offsets?.close();
    await this.#parts.hands.close();
    await this.#parts.self.close();
    await this.#http?.close();
    this.#logger.info({ reason }, 'agent stopped');
  }

  #makeHub(): SessionHub {
    const { controllers, tls, probe } = this.#config;
    return new SessionHub(controllers, tls, {
      clock: this.#clock,
      logger: this.#logger,
      times: { ...SESSION_TIMES, reportEveryMs: probe.periodMs },
      source: {
        hello: () => this.#hello(),
        report: (since, full, now) => this.#report(since, full, now),
        statuses: () => this.#keeper.statuses(),
        onWelcome: (welcome) => this.#onWelcome(welcome),
        onGoalSet: (set) => this.#keeper.take(set),
        onLeaseToken: (token) => this.#selfFence.take(token),
        run: (command) => this.#runner.run(command),
      },
    });
  }

  #makeSelfFence(): SelfFenceKeeper {
    const { agent, clusters, probe } = this.#config;
    return new SelfFenceKeeper({
      hands: this.#parts.hands,
      memory: new SelfFenceMemory(agent.dataDir, this.#logger),
      clock: this.#clock,
      logger: this.#logger,
      floors: () => this.#memory.floors,
      watched: (group) => this.#memory.watch.groups.find((g) => g.name === group) ?? null,
      quietMs: staleAfterMs(probe),
      applyFloorMs: (name) =>
        Math.max(SELF_FENCE_FLOOR_MS, clusters.find((c) => c.name === name)?.fence?.hook?.timeoutMs ?? 0),
      effectTimeoutMs: EFFECT_TIMEOUT_MS,
    });
  }

  #report(sinceRevision: number, full: boolean, now: Ms): RevisedReport {
    const { report, revision } = this.#book.report(sinceRevision, full, now);
    return { report: { ...report, selfFences: this.#selfFence.report() }, revision };
  }

  #makeObserver(cluster: ClusterName, probe: ClusterProbe): ClusterObserver {
    return new ClusterObserver({
      cluster,
      probe,
      periodMs: this.#config.probe.periodMs,
      clock: this.#clock,
      logger: this.#logger,
      onRound: (name, round, answered) => this.#onRound(name, round, answered),
    });
  }

  #onRound(cluster: ClusterName, round: ProbeRound, answered: boolean): void {
    this.#book.put(cluster, round);
    const now = this.#clock();
    this.#metrics.round(cluster, round, now - round.sample.takenAtMs, this.#book.assess(cluster, now));
    if (answered) {
      this.#selfFence.clusterAnswered(cluster);
      this.#keeper.clusterAnswered(cluster);
    } else {
      this.#keeper.clusterSilent(cluster);
    }
    this.#hub.wantReport();
  }

  #hello(): AgentHello {
    const { agent, clusters } = this.#config;
    return {
      protocolVersion: PROTOCOL_VERSION,
      agent: agent.id,
      idc: agent.idc,
      bootId: this.#bootId,
      highestTerm: this.#keeper.floors.highestTerm,
      goalsHeld: this.#keeper.held(),
      clusters: clusters.map((c) => c.name),
      softwareVersion: packageVersion(),
    };
  }

  #onWelcome(welcome: ControllerWelcome): void {
    this.#keeper.heardTerm(welcome.term);
    // A standby may lag behind the pointer: only the leader's list replaces the cache, another only fills an empty one.
    if (!welcome.leader && this.#memory.watch.groups.length > 0) return;
    this.#memory.saveWatch(welcome.watch);
    this.#setWatch(welcome.watch);
    this.#parts.offsets?.setWatch(welcome.watch.groups);
  }

  #setWatch(watch: Watch): void {
    const json = JSON.stringify(watch);
    if (json === this.#watchJson) return;
    this.#watchJson = json;
    this.#parts.hands.setWatch(watch.groups);
    const places = new Map<ClusterName, IdcName>(watch.clusters.map((c) => [c.name, c.idc]));
    for (const { name, idc } of this.#config.clusters) {
      const groups = watch.groups.filter((g) => g.clusters.includes(name));
      this.#observers.get(name)?.setWatch(groups, places.get(name) ?? idc);
    }
  }

  #notReady(): string | null {
    if (this.connectedTo().length === 0) return 'no session to any controller';
    const unseen = [...this.#observers.keys()].filter((name) => this.#book.assess(name, this.#clock()) === null);
    return unseen.length === 0 ? null : `no probe round yet of ${unseen.join(', ')}`;
  }
}
