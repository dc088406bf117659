import type { BrokerProbe, CanaryProbe, ClusterSample, IdcName, Ms } from '#health';
import type { ClusterSettings, WatchGroup } from '#failover';
import {
  failureOf,
  isInternalTopic,
  topicMatcher,
  type ClusterEyes,
  type ClusterHands,
  type ClusterLayout,
  type ConnectClient,
  type PartitionSet,
} from '#kafka';
import type { ClusterProbe, MonotonicClock, ProbeRound, SelfMonitor } from '../ports.js';
import { askInTurn } from './ask-in-turn.js';
import { canaryTargets, probeCanary } from './canary.probe.js';
import { durabilityOf, ensureCanaryTopic } from './canary-topic.js';
import { ClusterMemory } from './cluster-memory.js';
import { ConsumerGroups } from './consumer-groups.js';
import { DiskWatch } from './disk-watch.js';
import { movedParts, ProgressRound } from './end-offsets.probe.js';
import type { EndOffsetBoard } from './end-offset-board.js';
import type { FenceWatch } from './fence-watch.js';
import { FlowWatch } from './flow-watch.js';
import { countPartitions } from './partitions.probe.js';
import { answeredBy, asPair, valueOf, type Wave } from './probe-wave.js';
import { SlowFacts } from './slow-facts.js';
import { topicSettings } from './topic-settings.js';
import { probeBroker, probeStranger, toProbe } from './transport.probe.js';

export type ClusterProbeParts = Readonly<{
  cluster: string;
  bootstrapServers: readonly string[];
  agentId: string;
  agentIdc: IdcName;
  timeoutMs: Ms;
  clock: MonotonicClock;
  self: SelfMonitor;
  eyes: ClusterEyes;
  hands: ClusterHands;
  ordinary: ClusterHands | null; // an application's credentials
  fences: FenceWatch;
  connect: ConnectClient | null;
  mirror: ClusterHands; // for what a dedicated MirrorMaker keeps on this cluster
  board: EndOffsetBoard;
  /** Told when the canary topic cannot be made, once per change: without it nothing proves the service. Null: it is well again. */
  onTrouble: (trouble: string | null) => void;
}>;

const CANARY_TOPIC_EVERY_MS = 10_000;
const MIN_ASK_MS = 50;

/**
 * One cluster's rounds. All questions of a round leave at once on the last known layout, each under the same deadline;
 * only partitions whose leader turned out to have moved are asked again. So a silent broker costs one deadline, and
 * hides nothing of what the others hold.
 */
export class KafkaClusterProbe implements ClusterProbe {
  readonly #parts: ClusterProbeParts;
  readonly #memory: ClusterMemory;
  readonly #slow: SlowFacts;
  readonly #flows: FlowWatch;
  readonly #consumers: ConsumerGroups;
  readonly #disks: DiskWatch;
  #groups: readonly WatchGroup[] = [];
  #isHot: (topic: string) => boolean = () => false;
  #idc: IdcName | null = null; // where the cluster stands; in its own IDC this agent makes the canary topic
  #round = 0;
  #running = false;
  #canaryTopicAtMs: Ms | null = null;
  #trouble: string | null = null;

  constructor(parts: ClusterProbeParts) {
    this.#parts = parts;
    this.#memory = new ClusterMemory(parts.bootstrapServers);
    this.#slow = new SlowFacts(parts.eyes);
    this.#flows = new FlowWatch(parts.cluster, parts, parts.board);
    this.#consumers = new ConsumerGroups(parts.eyes);
    this.#disks = new DiskWatch(parts.eyes);
    const entry = parts.board.entry(parts.cluster);
    entry.committed = (group) => this.#consumers.committed(group, parts.clock());
    entry.copiedFrom = (source) => this.#flows.copiedFrom(source);
  }

  setWatch(groups: readonly WatchGroup[], idc: IdcName | null): void {
    this.#idc = idc;
    this.#groups = groups.filter((g) => g.clusters.includes(this.#parts.cluster));
    const matches = topicMatcher(this.#groups.flatMap((g) => g.topics));
    this.#isHot = (topic) => !isInternalTopic(topic) && matches(topic);
    this.#flows.setWatch(this.#groups);
    this.#consumers.setWatch(this.#groups);
  }

  async sample(): Promise<ProbeRound> {
    if (this.#running) throw new Error(`the probe of ${this.#parts.cluster} was started while its last round ran`);
    this.#running = true;
    try {
      return await this.#sample();
    } finally {
      this.#running = false;
    }
  }

  async close(): Promise<void> {
    this.#parts.eyes.close();
    this.#parts.hands.close();
    this.#parts.mirror.close();
    this.#parts.ordinary?.close();
    await this.#parts.fences.close();
    await this.#parts.connect?.close();
  }

  async #sample(): Promise<ProbeRound> {
    const { clock, board, cluster } = this.#parts;
    const takenAtMs = clock();
    this.#round += 1;
    const greeting = this.#memory.layout === null ? await this.#greet() : null;
    if (this.#memory.layout === null) return this.#silent(takenAtMs, greeting ?? []);

    const entry = board.entry(cluster);
    const signs = this.#flows.signTopics();
    const wanted = (topic: string): boolean => this.#isHot(topic) || signs.has(topic);
    const signsBefore = new Map([...signs].flatMap((t) => asPair(t, entry.ends.value(t, 0))));
    const asked = this.#memory.partsByLeader(wanted);
    const startedAtMs = clock();
    const [wave] = await Promise.all([
      this.#ask(asked),
      this.#flows.ask(startedAtMs, this.#parts.timeoutMs),
      this.#refreshSlowFacts(startedAtMs),
      this.#askConsumers(startedAtMs),
      this.#askMissing(startedAtMs),
    ]);

    const progress = new ProgressRound();
    for (const f of wave.findings) if (f.offsets) progress.take(entry.ends, f.offsets, startedAtMs, this.#isHot);
    if (wave.metadata) {
      this.#adopt(wave.metadata, wanted, startedAtMs);
      await this.#askMoved(asked, wanted, progress, startedAtMs);
    }
    this.#flows.noteSigns(entry.ends, signsBefore);
    this.#memory.noteAnswers(answeredBy(wave));
    return this.#report(takenAtMs, wave, progress);
  }

  /** Without any layout: every bootstrap address is asked for one, all at once. */
  async #greet(): Promise<readonly BrokerProbe[]> {
    const { bootstrapServers, eyes, timeoutMs, clock } = this.#parts;
    const askedAtMs = clock();
    const answers = await Promise.all(
      bootstrapServers.map(async (address) => ({ address, answer: await eyes.metadata(address, null, timeoutMs) })),
    );
    const first = answers.find((a) => a.answer.ok)?.answer;
    if (first?.ok) this.#adopt(first.value, () => true, askedAtMs);
    return answers.map(({ address, answer }) => toProbe(address, null, answer));
  }

  async #ask(asked: ReadonlyMap<number, PartitionSet>): Promise<Wave> {
    const { eyes, timeoutMs } = this.#parts;
    const candidates = this.#memory.candidates();
    const [findings, strangers, metadata, quorum, canaries] = await Promise.all([
      Promise.all(this.#memory.brokers.map((b) => probeBroker(eyes, b, asked.get(b.id), timeoutMs))),
      Promise.all(this.#memory.strangers.map((a) => probeStranger(eyes, a, timeoutMs))),
      askInTurn(candidates, (a, ms) => eyes.metadata(a, null, ms), timeoutMs),
      askInTurn(candidates, (a, ms) => eyes.quorumLeader(a, ms), timeoutMs),
      this.#probeCanaries(),
    ]);
    return {
      findings,
      strangers,
      metadata: valueOf(metadata?.answer),
      quorum: quorum?.answer ?? null,
      canaries,
    };
  }

  async #probeCanaries(): Promise<readonly CanaryProbe[]> {
    const { eyes, timeoutMs, agentId } = this.#parts;
    const layout = this.#memory.layout;
    if (layout === null) return [];
    const probes = canaryTargets(layout).map((target) => {
      const address = this.#memory.address(target.brokerId);
      return address === null ? null : probeCanary(eyes, address, target, `${agentId}/${this.#round}`, timeoutMs);
    });
    return Promise.all(probes.filter((p) => p !== null));
  }

  /** Leaders that moved since the plan was made are asked in what is left of the deadline. */
  async #askMoved(
    asked: ReadonlyMap<number, PartitionSet>,
    wanted: (topic: string) => boolean,
    progress: ProgressRound,
    startedAtMs: Ms,
  ): Promise<void> {
    const { eyes, clock, timeoutMs, board, cluster } = this.#parts;
    const moved = movedParts(asked, this.#memory.partsByLeader(wanted));
    const leftMs = Math.max(MIN_ASK_MS, timeoutMs - (clock() - startedAtMs));
    await Promise.all(
      [...moved].map(async ([brokerId, part]) => {
        const address = this.#memory.address(brokerId);
        const answer = address === null ? null : await eyes.offsets(address, part, 'end', leftMs);
        if (answer?.ok) progress.take(board.entry(cluster).ends, answer.value, clock(), this.#isHot);
      }),
    );
  }

  /** Topics that flows have positions of and the list lacks are asked for by name: deleted, or only not shown to us? */
  async #askMissing(nowMs: Ms): Promise<void> {
    const { board, cluster, eyes, timeoutMs } = this.#parts;
    const { known } = board.entry(cluster);
    const missing = known.missing(board.copiedFrom(cluster));
    if (missing.length === 0) return;
    const said = await askInTurn(this.#memory.candidates(), (a, ms) => eyes.metadata(a, missing, ms), timeoutMs);
    if (said?.answer.ok) known.named(said.answer.value, nowMs);
  }

  #adopt(layout: ClusterLayout, wanted: (topic: string) => boolean, askedAtMs: Ms): void {
    const { board, cluster, eyes } = this.#parts;
    this.#memory.adopt(layout);
    const entry = board.entry(cluster);
    entry.topics = [...layout.topics.keys()];
    entry.known.list(layout, askedAtMs);
    entry.ends.trim((topic) => (wanted(topic) ? entry.known.partitions(topic) : 0));
    eyes.retain(this.#memory.allAddresses());
  }

  async #refreshSlowFacts(nowMs: Ms): Promise<void> {
    const layout = this.#memory.layout;
    const address = this.#memory.candidates()[0];
    const broker = this.#memory.brokers.find((b) => b.address === address) ?? this.#memory.brokers[0];
    if (layout === null || broker === undefined) return;
    this.#parts.fences.tick(nowMs, this.#parts.timeoutMs);
    await Promise.all([
      this.#slow.refresh(broker, [...layout.topics.keys()], nowMs, this.#parts.timeoutMs),
      this.#isOwn ? this.#disks.refresh(this.#memory.brokers, nowMs, this.#parts.timeoutMs) : undefined,
    ]);
    await this.#ensureCanaryTopic(layout, nowMs);
  }

  #askConsumers(nowMs: Ms): Promise<void> {
    const anyone = this.#memory.candidates()[0] ?? null;
    return this.#consumers.ask({ anyone, broker: (id) => this.#memory.address(id) }, nowMs, this.#parts.timeoutMs);
  }

  async #ensureCanaryTopic(layout: ClusterLayout, nowMs: Ms): Promise<void> {
    const { hands, timeoutMs } = this.#parts;
    if (!this.#isOwn || this.#groups.length === 0) return;
    if (this.#canaryTopicAtMs !== null && nowMs - this.#canaryTopicAtMs < CANARY_TOPIC_EVERY_MS) return;
    this.#canaryTopicAtMs = nowMs;
    const durability = durabilityOf(layout, this.#slow.configs, this.#isHot);
    const trouble = await ensureCanaryTopic(hands, layout, durability, timeoutMs).then(
      () => null,
      (error: unknown) => `the canary topic could not be made: ${failureOf(error).detail}`,
    );
    if (trouble !== this.#trouble) this.#parts.onTrouble(trouble);
    this.#trouble = trouble;
  }

  #report(takenAtMs: Ms, wave: Wave, progress: ProgressRound): ProbeRound {
    const { clock, self, cluster, board, fences } = this.#parts;
    const agesAtMs = clock();
    const counts = wave.metadata ? countPartitions(wave.metadata, this.#isHot, this.#slow.configs) : null;
    const { configs, configsAtMs } = this.#slow;
    const brokers = [...wave.findings.map((f) => f.probe), ...wave.strangers];
    const answers = brokers.some((b) => b.error === null);
    const sample: ClusterSample = {
      takenAtMs,
      expectedBrokers: this.#memory.expectedBrokers,
      brokers,
      activeBrokers: wave.metadata?.brokers.length ?? null,
      clusterId: wave.metadata?.clusterId ?? null,
      quorumLeader: valueOf(wave.quorum),
      quorumError: wave.quorum === null || wave.quorum.ok ? null : wave.quorum.kind,
      hotStandby: counts?.hotStandby ?? null,
      otherTopics: counts?.otherTopics ?? null,
      canaries: wave.canaries,
      endOffsetsAdvanced: progress.advanced,
      self: self.health({ idc: this.#idc, answers }),
    };
    return {
      sample,
      agesAtMs,
      flows: this.#flows.observations(agesAtMs),
      fences: fences.observe(this.#groups, configs, configsAtMs === null ? null : agesAtMs - configsAtMs),
      clusterSettings: this.#settings(),
      flowSettings: this.#flows.settings(),
      consumerGroups: this.#consumers.observations(board.entry(cluster).ends, agesAtMs),
    };
  }

  /** What its topics and disks are like, and what it offers to close it, is said by the cluster's own agent only. */
  #settings(): ClusterSettings | null {
    const { settings, configs, configsAtMs } = this.#slow;
    const layout = this.#memory.layout;
    if (settings === null || layout === null || !this.#isOwn) return settings;
    const fencing = this.#parts.fences.fencing(this.#groups, [...layout.topics.keys()]);
    const logDirSpace = this.#disks.fullest;
    const isWanted = (topic: string): boolean => this.#isHot(topic) || this.#flows.isCopy(topic);
    return {
      ...settings,
      ...(fencing === null ? {} : { fencing }),
      ...(configsAtMs === null ? {} : { topics: topicSettings(layout, configs, isWanted) }),
      ...(logDirSpace === null ? {} : { logDirSpace }),
    };
  }

  get #isOwn(): boolean {
    return this.#idc === this.#parts.agentIdc;
  }

  /** Nothing was ever heard of this cluster: the bootstrap addresses are all there is to say. */
  async #silent(takenAtMs: Ms, brokers: readonly BrokerProbe[]): Promise<ProbeRound> {
    await this.#flows.ask(this.#parts.clock(), this.#parts.timeoutMs);
    const nobody: Wave = { findings: [], strangers: brokers, metadata: null, quorum: null, canaries: [] };
    return this.#report(takenAtMs, nobody, new ProgressRound());
  }
}
