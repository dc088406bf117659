import type { ConsumerConfig, KafkaConfig } from 'kafkajs';
import type { Pointer } from '#config-center';
import type { SwitchingConsumer, SwitchingRunConfig } from './client.types.js';
import type { OpenCluster } from './cluster.port.js';
import { ConsumerGeneration } from './consumer-generation.js';
import type { Emit } from './events.js';
import { pause } from './timing.js';

export type ConsumerDeps = Readonly<{
  clusters: Readonly<Record<string, KafkaConfig>>;
  open: OpenCluster;
  rejoinJitterMs: number;
  handlerGraceMs: number;
  emit: Emit;
  current(): Pointer | null;
  closed(consumer: PointerConsumer): void;
}>;

/** The consumer that goes on over a switch: one generation per cluster, never two that deliver. */
export class PointerConsumer implements SwitchingConsumer {
  private readonly config: ConsumerConfig;
  private readonly deps: ConsumerDeps;
  private readonly topics: (string | RegExp)[] = [];
  private running: SwitchingRunConfig | null = null;
  private generation: ConsumerGeneration | null = null;
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
      await last.end(this.deps.handlerGraceMs);
      const gone = new AbortController();
      void last.closed().then(() => gone.abort());
      await pause(this.deps.handlerGraceMs, gone.signal); // a frozen cluster would hold it for its request time-out
    }
    this.deps.closed(this);
  }

  /** Follows the pointer. Resolves true once its cluster's group is joined, false if a later pointer came before. */
  async adopt(pointer: Pointer): Promise<boolean> {
    if (this.running === null || this.closed) return true;
    this.epoch = pointer.epoch;
    const old = this.generation;
    if (old?.cluster === pointer.activeCluster) return old.joined;
    const done = old === null ? Promise.resolve() : old.end(this.deps.handlerGraceMs);
    const config = this.deps.clusters[pointer.activeCluster];
    if (config === undefined) {
      this.generation = null;
      return false;
    }
    let told = false;
    this.generation = new ConsumerGeneration({
      cluster: pointer.activeCluster,
      epoch: () => this.epoch,
      port: this.deps.open(pointer.activeCluster, config),
      config: this.config,
      topics: this.topics,
      run: this.running,
      joinAfterMs: old === null ? 0 : Math.random() * this.deps.rejoinJitterMs,
      deliverAfter: done,
      onFailure: (error) => {
        if (!told) this.deps.emit('blocked', { reason: 'consumer-crashed', error });
        told = true;
      },
    });
    return this.generation.joined;
  }
}
