import { join } from 'node:path';
import type { ClusterName, Ms } from '#health';
import type { SilentGap, TranslateCommand, TranslatedOutput, WatchGroup } from '#failover';
import { ConnectClient, DedicatedWorker, PlatformaticHands, type ClusterHands } from '#kafka';
import { ClusterIds } from '../cluster-ids.js';
import type { AgentConfig } from '../config/agent-config.js';
import type { MonotonicClock, OffsetFollower, OffsetTranslator } from '../ports.js';
import { readCommitted, type CommittedBoard } from './committed.js';
import { followedFlows, followKey, isWayBack, type FollowedFlow } from './flow-setup.js';
import { SyncFile } from './sync-file.js';
import { SyncFollower } from './sync-follower.js';
import { topicsOf, translateGroups, type TranslationGround } from './translate-groups.js';

export type KeeperParts = Readonly<{
  config: AgentConfig;
  board: CommittedBoard;
  clock: MonotonicClock;
  /** For the log: what could not be read, null when it could again. Said once per change. */
  onTrouble: (flow: string, trouble: string | null) => void;
  everyMs?: Ms; // default 5 s
  ids?: ClusterIds; // those of the whole agent; default: read from its folder
}>;

const EVERY_MS = 5_000;
const READ_MS = 60_000; // one reading in the background
const CATCH_UP_SHARE = 0.4; // of a command's time, for the syncs since the last reading

type Side = Readonly<{ hands: ClusterHands; connect: ConnectClient | null }>;

/**
 * The histories of all flows whose both clusters this agent may reach. Apart from the probes: own connections, own
 * cadence, and no part of a sample's budget of requests.
 */
export class OffsetKeeper implements OffsetTranslator, OffsetFollower {
  readonly #parts: KeeperParts;
  readonly #sides: ReadonlyMap<ClusterName, Side>;
  readonly #followers = new Map<string, SyncFollower>();
  readonly #troubles = new Map<string, string | null>();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    const { agent, clusters } = parts.config;
    const ids = parts.ids ?? new ClusterIds(agent.dataDir);
    this.#sides = new Map(
      clusters.map((c) => [
        c.name,
        {
          hands: new PlatformaticHands({
            clientId: `pointsman-${agent.id}-offsets`,
            bootstrapServers: c.bootstrapServers,
            security: c.security,
            identity: ids.of(c.name),
          }),
          connect: c.connectUrl === null ? null : new ConnectClient(c.connectUrl),
        },
      ]),
    );
  }

  /** The first call starts it: what a cached watch says of epochs may be old, and a history must know which it belongs to. */
  setWatch(groups: readonly WatchGroup[]): void {
    const wanted = new Map(followedFlows(groups).map((flow) => [followKey(flow), flow]));
    for (const [key, flow] of wanted) {
      const known = this.#followers.get(key);
      if (known !== undefined) known.flow = flow;
      else this.#follow(key, flow);
    }
    for (const [key, follower] of this.#followers) {
      if (wanted.has(key)) continue;
      this.#followers.delete(key);
      void follower.close();
    }
    if (this.#timer === null && !this.#closed) this.#next(0);
  }

  /** What the flow's copy lacks or holds twice, newest first; empty for a flow that is not followed. */
  gaps(flow: Readonly<{ from: ClusterName; to: ClusterName; source: string }>): readonly SilentGap[] {
    return this.#followers.get(followKey(flow))?.gaps ?? [];
  }

  async translate(body: TranslateCommand, left: () => Ms): Promise<TranslatedOutput> {
    const key = followKey({ from: body.from, to: body.to, source: body.connectors.source });
    const forward = this.#followers.get(key);
    const target = this.#sides.get(body.to);
    const source = this.#sides.get(body.from);
    if (forward === undefined || target === undefined || source === undefined) {
      throw new Error(
        `no history is kept of ${body.from} → ${body.to}: this agent watches no such flow, or lacks a side's credentials`,
      );
    }
    const back = [...this.#followers.values()].find(({ flow }) => isWayBack(flow, forward.flow)) ?? null;
    const catchUpMs = left() * CATCH_UP_SHARE;
    const [trouble, committed, layout] = await Promise.all([
      this.#briefly(forward, target, catchUpMs),
      readCommitted(body.from, body.consumerGroups, { hands: source.hands, board: this.#parts.board }, left()),
      target.hands.layout(left()),
    ]);
    const ground = { forward, back, target: layout, source: forward.sourceLook?.layout ?? null, committed };
    const named = topicsOf(body, { ...ground, ...NOTHING_READ });
    const present = named.filter((t) => t.targetPartitions > 0).map((t) => t.topic);
    const [starts, ends] = await Promise.all([
      this.#offsets(target.hands, present, 'start', left()),
      this.#offsets(target.hands, present, 'end', left()),
    ]);
    const whole: TranslationGround = { ...ground, starts, ends, nowWallMs: Date.now() };
    const { noted, pairs, readAtMs } = forward.facts;
    const readAgeMs = readAtMs === null ? null : this.#parts.clock() - readAtMs;
    return {
      kind: 'translated_offsets',
      offsets: translateGroups(body, whole),
      topics: named,
      syncs: { noted, pairs, readAgeMs, detail: trouble ?? '' },
    };
  }

  async topicsRemade(cluster: ClusterName, topics: readonly string[], leftMs: Ms): Promise<void> {
    const touched = [...this.#followers.values()].filter(({ flow }) => flow.from === cluster || flow.to === cluster);
    await Promise.all(touched.map((follower) => follower.forget(topics, leftMs)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const { hands, connect } of this.#sides.values()) {
      hands.close(); // ends what is being read
      await connect?.close();
    }
    await this.#running;
    for (const follower of this.#followers.values()) await follower.close();
  }

  #follow(key: string, flow: FollowedFlow): void {
    const source = this.#sides.get(flow.from);
    const target = this.#sides.get(flow.to);
    if (source === undefined || target === undefined) return; // an agent of other clusters keeps none
    const path = join(this.#parts.config.agent.dataDir, 'offset-syncs', `${encodeURIComponent(key)}.syncs`);
    const connect = flow.dedicated ? new DedicatedWorker(target.hands, flow.from) : target.connect;
    const parts = { source: source.hands, target: target.hands, connect, clock: this.#parts.clock };
    this.#followers.set(key, new SyncFollower(flow, { ...parts, file: new SyncFile(path) }));
  }

  #next(inMs: Ms): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#round().finally(() => {
        if (!this.#closed) this.#next(this.#parts.everyMs ?? EVERY_MS);
      });
    }, inMs);
    this.#timer.unref();
  }

  async #round(): Promise<void> {
    for (const [key, follower] of this.#followers) {
      const target = this.#sides.get(follower.flow.to);
      if (this.#closed || target === undefined) return;
      this.#tell(key, await this.#catchUp(follower, target, READ_MS));
    }
  }

  /** What was read before still answers: a reading that is under way over a silent cluster holds nothing up. */
  async #briefly(follower: SyncFollower, target: Side, deadlineMs: Ms): Promise<string | null> {
    const late = new Promise<string>((resolve) => {
      setTimeout(
        () => resolve(`the newest syncs were not read within ${Math.round(deadlineMs)} ms`),
        deadlineMs,
      ).unref();
    });
    return Promise.race([this.#catchUp(follower, target, deadlineMs, true), late]);
  }

  /** Syncs and checkpoints to their present ends. @returns what could not be read: an old history still answers. */
  async #catchUp(follower: SyncFollower, target: Side, deadlineMs: Ms, brief = false): Promise<string | null> {
    const readings = await Promise.allSettled([
      follower.readOn(deadlineMs, brief),
      follower.checkpoints.readOn(target.hands, follower.setup.checkpointsTopic, deadlineMs),
    ]);
    const failed = readings.flatMap((r) => (r.status === 'rejected' ? [r.reason as unknown] : []));
    return failed.length === 0 ? null : failed.map((e) => (e instanceof Error ? e.message : String(e))).join('; ');
  }

  #tell(key: string, trouble: string | null): void {
    const before = this.#troubles.get(key) ?? null;
    this.#troubles.set(key, trouble);
    if ((before === null) !== (trouble === null)) this.#parts.onTrouble(key, trouble);
  }

  async #offsets(
    hands: ClusterHands,
    topics: readonly string[],
    at: 'start' | 'end',
    leftMs: Ms,
  ): Promise<ReadonlyMap<string, number>> {
    if (topics.length === 0) return new Map();
    const list = await hands.offsets(topics, at, leftMs);
    return new Map(list.map((o) => [`${o.topic}/${o.partition}`, o.offset]));
  }
}

const NOTHING_READ = { starts: new Map(), ends: new Map(), nowWallMs: 0 } as const;
