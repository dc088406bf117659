import type { KafkaConfig, ProducerConfig } from 'kafkajs';
import type { Pointer } from '#config-center';
import type { OpenCluster } from './cluster.port.js';
import { ProducerSession } from './producer-session.js';
import type { TopicLane } from './topic-lane.js';

export type SessionsDeps = Readonly<{
  clusters: Readonly<Record<string, KafkaConfig>>;
  open: OpenCluster;
  config: ProducerConfig;
  warmStandby: boolean;
  lanes: ReadonlyMap<string, TopicLane>; // by topic
  unavailable(error: Error): void; // told once per session, of the one that all topics share
}>;

// More than so many at once are not the topics' trouble but the cluster's, and each costs a connection per broker.
const MAX_ALONE = 16;

/**
 * The kafkajs producers of one switching producer. All topics share one; one whose metadata fails goes on alone, because
 * kafkajs asks for the metadata of every topic it was ever given at once and fails every send for any of them.
 */
export class ProducerSessions {
  private readonly deps: SessionsDeps;
  private shared: ProducerSession | null = null;
  private readonly alone = new Map<string, ProducerSession>(); // by topic, until it is answered
  private readonly retired = new Set<ProducerSession>(); // replaced, and some lanes still need them
  private readonly warm = new Map<string, ProducerSession>(); // by cluster
  private closed = false;

  constructor(deps: SessionsDeps) {
    this.deps = deps;
  }

  /** What all topics share. Null: no pointer, or it names an unknown cluster. */
  get current(): ProducerSession | null {
    return this.shared;
  }

  of(topic: string): ProducerSession | null {
    return this.alone.get(topic) ?? this.shared;
  }

  /** Goes to the pointer's cluster, by a warm connection if there is one, and takes the lanes along. */
  follow(pointer: Pointer): void {
    const old = this.shared;
    if (old?.cluster === pointer.activeCluster) {
      for (const session of [old, ...this.alone.values(), ...this.retired]) session.epoch = pointer.epoch;
      for (const lane of this.deps.lanes.values()) lane.retryNow();
      return;
    }
    for (const session of this.alone.values()) this.retired.add(session);
    this.alone.clear();
    this.shared = this.take(pointer, old);
    for (const lane of this.deps.lanes.values()) lane.switched();
    this.endUnused();
    if (old === null) return;
    old.end();
    if (!this.deps.warmStandby || this.closed) return;
    const again = this.open(old.cluster, 0); // keeps trying slowly, ready for the way back
    if (again !== null) this.warm.set(old.cluster, again);
  }

  /** The same cluster with a fresh producer id; lanes move to it as soon as they need the old one no more. */
  renew(topic: string, old: ProducerSession): void {
    if (this.closed || this.of(topic) !== old) return;
    const fresh = this.open(old.cluster, old.epoch);
    if (fresh === null) return;
    if (this.alone.has(topic)) this.alone.set(topic, fresh);
    else this.shared = fresh;
    this.retire(old);
    void fresh.connected.then((ok) => {
      if (ok && (this.shared === fresh || this.alone.get(topic) === fresh))
        for (const lane of this.deps.lanes.values()) lane.retryNow();
    });
  }

  /**
   * A topic's metadata failed, perhaps for another topic's sake. It goes on alone; the others get a fresh shared one that
   * does not know it. If it was not the culprit, that one fails there next, and this one is answered and comes back. Where
   * there is no room it stays. False: no other topic can be meant.
   */
  isolate(topic: string, failed: ProducerSession): boolean {
    if (this.deps.lanes.size < 2 || this.alone.get(topic) === failed) return false;
    if (this.closed || this.shared !== failed || this.alone.has(topic) || !this.hasRoom()) return true;
    const own = this.open(failed.cluster, failed.epoch);
    if (own === null) return true;
    this.renew(topic, failed);
    this.alone.set(topic, own);
    void own.connected.then((ok) => {
      if (ok && this.of(topic) === own) this.deps.lanes.get(topic)?.retryNow();
    });
    return true;
  }

  /** The topic was answered by that one and has nothing left to repeat: its metadata is sound. */
  answered(topic: string, session: ProducerSession): void {
    if (this.alone.get(topic) !== session) return;
    this.alone.delete(topic);
    this.retire(session);
  }

  /** A lane needs one less. */
  endUnused(): void {
    for (const session of this.retired) {
      if ([...this.deps.lanes.values()].some((lane) => lane.uses(session))) continue;
      session.end();
      this.retired.delete(session);
    }
  }

  close(): void {
    this.closed = true;
    for (const s of [this.shared, ...this.alone.values(), ...this.retired, ...this.warm.values()]) s?.end();
  }

  private retire(session: ProducerSession): void {
    this.retired.add(session);
    this.endUnused();
  }

  private hasRoom(): boolean {
    if (this.alone.size < MAX_ALONE) return true;
    for (const [topic, session] of this.alone) {
      if (this.deps.lanes.get(topic)?.idle === false) continue;
      this.answered(topic, session);
      return true;
    }
    return false;
  }

  private take(pointer: Pointer, old: ProducerSession | null): ProducerSession | null {
    const name = pointer.activeCluster;
    const session = this.warm.get(name) ?? this.open(name, pointer.epoch);
    this.warm.delete(name);
    if (session === null) return null;
    session.epoch = pointer.epoch;
    void session.connected.then((ok) => {
      if (ok && this.shared === session) for (const lane of this.deps.lanes.values()) lane.retryNow();
    });
    if (this.deps.warmStandby) {
      for (const other of Object.keys(this.deps.clusters)) {
        if (other === name || this.warm.has(other) || other === old?.cluster) continue;
        const standby = this.open(other, 0);
        if (standby !== null) this.warm.set(other, standby);
      }
    }
    return session;
  }

  /** Null if the cluster is not configured. */
  private open(name: string, epoch: number): ProducerSession | null {
    const config = this.deps.clusters[name];
    if (config === undefined) return null;
    let told = false;
    const session: ProducerSession = new ProducerSession(
      name,
      epoch,
      this.deps.open(name, config),
      this.deps.config,
      (error) => {
        if (told || this.shared !== session) return;
        told = true;
        this.deps.unavailable(error);
      },
    );
    return session;
  }
}
