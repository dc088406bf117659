import type { ConsumerConfig, ConsumerRunConfig, EachBatchPayload, EachMessagePayload } from 'kafkajs';
import { SupersededError, asError } from './client.errors.js';
import type { SwitchingRunConfig } from './client.types.js';
import type { ClusterPort, ConsumerPort } from './cluster.port.js';
import { atMost, backoffMs, pause } from './timing.js';

export type GenerationOptions = Readonly<{
  cluster: string;
  epoch: () => number; // of the newest pointer that names this cluster
  port: ClusterPort;
  config: ConsumerConfig;
  topics: readonly (string | RegExp)[];
  run: SwitchingRunConfig;
  joinAfterMs: number; // spreads a thousand consumers over a few tens of milliseconds
  deliverAfter: Promise<void>; // the old generation's handlers are done, or their grace is over
  onFailure: (e: Error) => void;
}>;

type BatchHandler = NonNullable<SwitchingRunConfig['eachBatch']>;

/**
 * The consumer of one cluster between two switches. Once ended it hands no record to a handler and commits nothing;
 * once held it hands out none either, but what was handled is still committed.
 */
export class ConsumerGeneration {
  readonly cluster: string;
  readonly joined: Promise<boolean>; // false: ended before it had joined its group
  private readonly options: GenerationOptions;
  private readonly leaving = new AbortController();
  private readonly onRest = new Set<() => void>();
  private readonly working: Promise<void>;
  private superseded = false;
  private holding: Promise<void> | null = null;
  private handlersAtWork = 0;
  private tellJoined: (ok: boolean) => void = () => undefined;

  constructor(options: GenerationOptions) {
    this.options = options;
    this.cluster = options.cluster;
    this.joined = new Promise((resolve) => (this.tellJoined = resolve));
    this.working = this.work();
  }

  /** Held or ended: there is no way back for this generation. */
  get over(): boolean {
    return this.holding !== null || this.leaving.signal.aborted;
  }

  /**
   * From here on nothing is delivered, and nothing is committed either: the pointer names another cluster. Resolves
   * when the handlers at work are done, at most after `graceMs`.
   */
  async end(graceMs: number): Promise<void> {
    this.superseded = true;
    this.leave();
    await this.handlersRest(graceMs);
  }

  /**
   * From here on nothing is delivered. What handlers at work still finish is committed, then the group is left: kafkajs
   * drops a commit silently once it is leaving. Resolves when it has left; a group that is just being joined is left
   * after the join.
   */
  hold(): Promise<void> {
    this.holding ??= (async () => {
      await this.handlersRest(null);
      this.leave();
      await this.working;
    })();
    return this.holding;
  }

  /** Resolves when the connection is closed too. Dead clusters make this slow: do not wait for it in a switch. */
  closed(): Promise<void> {
    return this.working;
  }

  private leave(): void {
    if (this.leaving.signal.aborted) return;
    this.leaving.abort();
    this.tellJoined(false);
  }

  private async handlersRest(graceMs: number | null): Promise<void> {
    if (this.handlersAtWork === 0) return;
    const rest = new Promise<void>((resolve) => this.onRest.add(resolve));
    await (graceMs === null ? rest : atMost(graceMs, rest));
  }

  /** Connects and joins, again and again until it holds or the generation ends; then waits for the end and closes. */
  private async work(): Promise<void> {
    const leaving = this.leaving.signal;
    await pause(this.options.joinAfterMs, leaving);
    for (let failures = 0; !leaving.aborted; failures++) {
      try {
        await this.consumeUntilCrash();
      } catch (e) {
        if (!this.over) this.options.onFailure(asError(e));
      }
      await pause(backoffMs(failures), leaving);
    }
  }

  private async consumeUntilCrash(): Promise<void> {
    const { port, config, topics, run } = this.options;
    const leaving = this.leaving.signal;
    const consumer = port.consumer({
      ...config,
      // kafkajs restarts a crashed consumer by a timer, and nobody can wait for the join that follows: a cluster left
      // behind would have its member again behind our back. `work` makes a new consumer instead.
      retry: { ...config.retry, restartOnFailure: async () => false },
    });
    let leave: () => void = () => undefined;
    const over = new Promise<void>((resolve, reject) => {
      leave = resolve;
      leaving.addEventListener('abort', leave, { once: true });
      consumer.onCrash(reject);
    });
    over.catch(() => undefined); // read below; it may come while we still connect
    try {
      consumer.onJoined(() => this.tellJoined(!this.over));
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true }); // no committed offset: earliest (I34)
      if (this.over) return;
      // Waited for though we may be told to leave meanwhile: kafkajs forgets a consumer that is closed before it has
      // joined, the join goes on, and its member stays in the group with nobody to take it out. Closing would not be
      // faster either, for it waits for the request under way. kafkajs bounds the join by rebalanceTimeout, and where
      // the cluster is dead by requestTimeout; no switch waits for this.
      await consumer.run(this.wrap(run, consumer));
      await over;
    } finally {
      leaving.removeEventListener('abort', leave);
      await consumer.disconnect().catch(() => undefined); // of a cluster that may be dead: nothing to tell
    }
  }

  private wrap(run: SwitchingRunConfig, consumer: ConsumerPort): ConsumerRunConfig {
    const { eachMessage, eachBatch, eachBatchAutoResolve, ...rest } = run;
    return {
      ...rest,
      eachBatchAutoResolve: false, // handBatch does it: kafkajs resolves the last record of a batch that was broken off too
      ...(eachMessage === undefined
        ? {}
        : { eachMessage: (payload) => this.hand(() => eachMessage(this.deliver(payload, consumer))) }),
      ...(eachBatch === undefined
        ? {}
        : {
            eachBatch: (payload) => this.hand(() => this.handBatch(eachBatch, payload, eachBatchAutoResolve ?? true)),
          }),
    };
  }

  private async hand(handler: () => Promise<void>): Promise<void> {
    await this.options.deliverAfter;
    // While held, refuse only when the handlers at work are done: the refusal makes kafkajs close, and their commits
    // would be dropped.
    if (this.holding !== null) await this.handlersRest(null);
    // Throwing is the only way to keep kafkajs from committing a record that no handler has seen.
    if (this.over) throw new SupersededError(this.cluster);
    this.handlersAtWork++;
    try {
      await handler();
    } finally {
      this.handlersAtWork--;
      if (this.handlersAtWork === 0) {
        for (const tell of this.onRest) tell();
        this.onRest.clear();
      }
    }
  }

  private deliver(payload: EachMessagePayload, consumer: ConsumerPort) {
    const { topic, partition, message } = payload;
    return {
      ...payload,
      cluster: this.cluster,
      epoch: this.options.epoch(),
      commit: async () => {
        if (this.superseded) throw new SupersededError(this.cluster);
        await consumer.commitOffsets([{ topic, partition, offset: (BigInt(message.offset) + 1n).toString() }]);
      },
    };
  }

  /** A handler that was told to stop may have left records of its batch: only what it resolved itself is committed. */
  private async handBatch(handler: BatchHandler, payload: EachBatchPayload, autoResolve: boolean): Promise<void> {
    let stopped = false;
    const told = (stop: boolean): boolean => {
      stopped ||= stop;
      return stop;
    };
    await handler({
      ...payload,
      cluster: this.cluster,
      epoch: this.options.epoch(),
      isRunning: () => !told(this.over || !payload.isRunning()),
      isStale: () => told(this.superseded || payload.isStale()),
    });
    if (autoResolve && !stopped) payload.resolveOffset(payload.batch.lastOffset());
  }
}
