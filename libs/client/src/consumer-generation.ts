import type { ConsumerConfig, ConsumerRunConfig, EachBatchPayload, EachMessagePayload } from 'kafkajs';
import { SupersededError, asError } from './client.errors.js';
import type { SwitchingRunConfig } from './client.types.js';
import type { ClusterPort, ConsumerPort } from './cluster.port.js';
import { backoffMs, pause } from './timing.js';

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

/** The consumer of one cluster between two switches. Once ended it hands no record to a handler and commits nothing. */
export class ConsumerGeneration {
  readonly cluster: string;
  readonly joined: Promise<boolean>; // false: ended before it had joined its group
  private readonly options: GenerationOptions;
  private readonly ending = new AbortController();
  private readonly working: Promise<void>;
  private handlersAtWork = 0;
  private quiet: (() => void) | null = null;
  private tellJoined: (ok: boolean) => void = () => undefined;

  constructor(options: GenerationOptions) {
    this.options = options;
    this.cluster = options.cluster;
    this.joined = new Promise((resolve) => (this.tellJoined = resolve));
    this.working = this.work();
  }

  get ended(): boolean {
    return this.ending.signal.aborted;
  }

  /** From here on nothing is delivered. Resolves when the handlers at work are done, at most after `graceMs`. */
  async end(graceMs: number): Promise<void> {
    if (!this.ended) {
      this.ending.abort();
      this.tellJoined(false);
    }
    if (this.handlersAtWork === 0) return;
    const quiet = new AbortController();
    this.quiet = () => quiet.abort();
    await pause(graceMs, quiet.signal);
  }

  /** Resolves when the connection is closed too. Dead clusters make this slow: do not wait for it in a switch. */
  closed(): Promise<void> {
    return this.working;
  }

  /** Connects and joins, again and again until it holds or the generation ends; then waits for the end and closes. */
  private async work(): Promise<void> {
    await pause(this.options.joinAfterMs, this.ending.signal);
    for (let failures = 0; !this.ended; failures++) {
      try {
        await this.consumeUntilCrash();
      } catch (e) {
        if (!this.ended) this.options.onFailure(asError(e));
      }
      await pause(backoffMs(failures), this.ending.signal);
    }
  }

  private async consumeUntilCrash(): Promise<void> {
    const { port, config, topics, run } = this.options;
    const userRestart = config.retry?.restartOnFailure;
    const consumer = port.consumer({
      ...config,
      retry: {
        ...config.retry,
        // kafkajs restarts a crashed consumer by a timer that disconnect() may miss: one of a cluster left behind
        // would join its group again behind our back.
        restartOnFailure: async (e) => !this.ended && (userRestart === undefined || (await userRestart(e))),
      },
    });
    let leave: () => void = () => undefined;
    try {
      const over = new Promise<void>((resolve, reject) => {
        // At once, for `run` below may still be busy joining a cluster that is dead; the end of this function closes
        // what it left.
        leave = () => void consumer.disconnect().then(resolve, resolve);
        this.ending.signal.addEventListener('abort', leave, { once: true });
        consumer.onCrash((error, restarts) => {
          if (restarts) this.options.onFailure(error);
          else reject(error);
        });
      });
      over.catch(() => undefined); // read below; it may come while we still connect
      consumer.onJoined(() => this.tellJoined(!this.ended));
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true }); // no committed offset: earliest (I34)
      if (this.ended) return;
      await consumer.run(this.wrap(run, consumer));
      await over;
    } finally {
      this.ending.signal.removeEventListener('abort', leave);
      await consumer.disconnect().catch(() => undefined); // of a cluster that may be dead: nothing to tell
    }
  }

  private wrap(run: SwitchingRunConfig, consumer: ConsumerPort): ConsumerRunConfig {
    const { eachMessage, eachBatch, ...rest } = run;
    return {
      ...rest,
      ...(eachMessage === undefined
        ? {}
        : { eachMessage: (payload) => this.hand(() => eachMessage(this.deliver(payload, consumer))) }),
      ...(eachBatch === undefined
        ? {}
        : { eachBatch: (payload) => this.hand(() => eachBatch(this.deliverBatch(payload))) }),
    };
  }

  private async hand(handler: () => Promise<void>): Promise<void> {
    await this.options.deliverAfter;
    this.refuseIfEnded();
    this.handlersAtWork++;
    try {
      await handler();
    } finally {
      this.handlersAtWork--;
      if (this.handlersAtWork === 0) this.quiet?.();
    }
  }

  private deliver(payload: EachMessagePayload, consumer: ConsumerPort) {
    const { topic, partition, message } = payload;
    return {
      ...payload,
      cluster: this.cluster,
      epoch: this.options.epoch(),
      commit: async () => {
        this.refuseIfEnded();
        await consumer.commitOffsets([{ topic, partition, offset: (BigInt(message.offset) + 1n).toString() }]);
      },
    };
  }

  private deliverBatch(payload: EachBatchPayload) {
    return {
      ...payload,
      cluster: this.cluster,
      epoch: this.options.epoch(),
      isRunning: () => !this.ended && payload.isRunning(),
      isStale: () => this.ended || payload.isStale(),
    };
  }

  /** Throwing is the only way to keep kafkajs from committing a record that no handler has seen. */
  private refuseIfEnded(): void {
    if (this.ended) throw new SupersededError(this.cluster);
  }
}
