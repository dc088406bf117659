import type { ConsumerConfig, KafkaConfig } from 'kafkajs';
import type { Pointer, PointerMode } from '#config-center';
import type { ClientState } from './adoption-reporter.js';
import type { SwitchingConsumer, SwitchingRunConfig } from './client.types.js';
import type { OpenCluster } from './cluster.port.js';
import { ConsumerGeneration } from './consumer-generation.js';
import type { Emit } from './events.js';
import { atMost } from './timing.js';

export type ConsumerDeps = Readonly<{
  clusters: Readonly<Record<string, KafkaConfig>>;
  open: OpenCluster;
  rejoinJitterMs: number;
  handlerGraceMs: number;
  emit: Emit;
  current(): Pointer | null;
  mode(): PointerMode;
  closed(consumer: PointerConsumer): void;
}>;

/** The consumer that goes on over a switch: one generation per cluster, never two that deliver. */
export class PointerConsumer implements SwitchingConsumer {
  private readonly config: ConsumerConfig;
  private readonly deps: ConsumerDeps;
  private readonly topics: (string | RegExp)[] = [];
  private running: SwitchingRunConfig | null = null;
  private generation: ConsumerGeneration | null = null;
  private resting: Promise<void> = Promise.resolve(); // handlers of the generation before
  private phase: 'following' | 'joining' | 'holding' | 'held' = 'joining';
  private epoch = 0;
  private closed = false;

  constructor(config: ConsumerConfig, deps: ConsumerDeps) {
    this.config = config;
    this.deps = deps;
  }

  subscribe(s: Readonly<{ topics: readonly (string | RegExp)[] }>): void {
    if (this.running !== null) throw new Error('subscribe before run');
    this.topics.push(...s.topics);
  }

  async run(c: SwitchingRunConfig): Promise<void> {
    if (this.running !== null) throw new Error('this consumer runs already');
    if (this.closed) throw new Error('this consumer was disconnected; make a new one');
    if (this.topics.length === 0) throw new Error('subscribe to a topic before run');
    this.running = c;
    const pointer = this.deps.current();
    if (pointer !== null) void this.adopt(pointer);
  }

  async disconnect(): Promise<void> {
    this.closed = true;
    const last = this.generation;
    if (last !== null) {
      await atMost(this.deps.handlerGraceMs, last.hold()); // what the handler at work finishes is committed, or it would be read again
      await last.end(0);
      await atMost(this.deps.handlerGraceMs, last.closed()); // a frozen cluster would hold it for its request time-out
    }
    this.deps.closed(this);
  }

  /** For the adoption report; null before `run`. */
  describe(): ClientState {
    if (this.running === null || this.closed || this.epoch === 0) return null;
    const state = this.phase === 'joining' || this.phase === 'holding' ? 'moving' : this.phase;
    return { cluster: this.generation?.cluster ?? this.deps.current()?.activeCluster ?? '', epoch: this.epoch, state };
  }

  /**
   * Follows the pointer. Resolves true once its cluster's group is joined (in HOLD: once it is left), false if a later
   * pointer came before.
   */
  async adopt(pointer: Pointer): Promise<boolean> {
    if (this.running === null || this.closed) return true;
    this.epoch = pointer.epoch;
    const old = this.generation;
    if (this.deps.mode() === 'HOLD') return this.hold(old, pointer.activeCluster);
    if (old?.cluster === pointer.activeCluster && !old.over) return old.joined;
    const config = this.deps.clusters[pointer.activeCluster];
    if (old !== null) this.resting = this.putAway(old, pointer.activeCluster);
    if (config === undefined) {
      this.generation = null;
      return false;
    }
    const next = this.begin(pointer.activeCluster, config, this.running, old !== null);
    this.generation = next;
    this.phase = 'joining';
    void next.joined.then((ok) => {
      if (ok && this.generation === next && !next.over) this.phase = 'following';
    });
    return next.joined;
  }

  /** Leaves what is being read; the group's cluster is the pointer's, or one that it has moved away from. */
  private async hold(old: ConsumerGeneration | null, cluster: string): Promise<boolean> {
    if (old === null) {
      this.phase = 'held';
      return true;
    }
    if (old.cluster !== cluster) {
      this.resting = this.putAway(old, cluster);
      this.generation = null;
      this.phase = 'held';
      return true;
    }
    if (this.phase !== 'held') this.phase = 'holding';
    await old.hold();
    if (this.generation !== old || this.deps.mode() !== 'HOLD') return false;
    this.phase = 'held';
    return true;
  }

  /**
   * Ends a generation so that the next one may begin. One that was held on the very cluster that is followed again may
   * still be committing: its records come before those of the next.
   */
  private putAway(old: ConsumerGeneration, next: string): Promise<void> {
    if (old.cluster !== next) return old.end(this.deps.handlerGraceMs);
    return atMost(this.deps.handlerGraceMs, old.closed()).then(() => old.end(0));
  }

  private begin(cluster: string, config: KafkaConfig, run: SwitchingRunConfig, moved: boolean): ConsumerGeneration {
    let told = false;
    return new ConsumerGeneration({
      cluster,
      epoch: () => this.epoch,
      port: this.deps.open(cluster, config),
      config: this.config,
      topics: this.topics,
      run,
      joinAfterMs: moved ? Math.random() * this.deps.rejoinJitterMs : 0,
      deliverAfter: this.resting,
      onFailure: (error) => {
        if (!told) this.deps.emit('blocked', { reason: 'consumer-crashed', error });
        told = true;
      },
    });
  }
}
