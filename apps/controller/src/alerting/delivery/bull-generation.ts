import { Queue, RateLimitError, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import { Redis } from 'ioredis';
import type { Attempt, Delivery } from './delivery-queue.port.js';

export type BullSettings = Readonly<{
  url: string;
  /** Namespace in Redis: installations that share one must differ in it. */
  prefix: string;
  receivers: readonly Readonly<{ name: string; minGapMs: number }>[];
  /** How long Redis may take for one answer before it counts as gone. */
  answerMs: number;
}>;

const CONNECT_MS = 2_000;
const CLOSE_MS = 2_000;
/** The outbox ends a delivery, not BullMQ: this only bounds a job that is told "again" for ever. */
const MAX_ATTEMPTS = 1_000;

/** Not yet: tried again after that time. */
class Later extends Error {
  override readonly name = 'Later';
  constructor(readonly inMs: number) {
    super(`again in ${inMs} ms`);
  }
}

/** One life of the connection: BullMQ's queues and workers on it, a queue per receiver. Thrown away as a whole. */
export class BullGeneration {
  private readonly queues = new Map<string, Queue<Delivery>>();
  private readonly workers: Worker<Delivery>[] = [];
  private readonly stopping = new AbortController();
  private ready = false;
  private closing: Promise<void> | null = null;

  private constructor(
    private readonly settings: BullSettings,
    private readonly feeding: Redis,
    private readonly working: Redis,
    private readonly failed: (generation: BullGeneration, error: unknown) => void,
  ) {}

  /** Throws when Redis does not answer in time. `failed` is told of what goes wrong later. */
  static async open(
    settings: BullSettings,
    attempt: Attempt,
    failed: (generation: BullGeneration, error: unknown) => void,
  ): Promise<BullGeneration> {
    const common = { lazyConnect: true, connectTimeout: CONNECT_MS, retryStrategy: () => null } as const;
    const feeding = new Redis(settings.url, {
      ...common,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: settings.answerMs,
    });
    const working = new Redis(settings.url, { ...common, maxRetriesPerRequest: null });
    const made = new BullGeneration(settings, feeding, working, failed);
    for (const client of [feeding, working]) client.on('error', made.broken).on('end', made.ended);
    try {
      await within(CONNECT_MS, async () => {
        await Promise.all([feeding.connect(), working.connect()]);
        await feeding.ping();
        await made.start(attempt);
      });
      made.ready = true;
      return made;
    } catch (error) {
      await made.close(true);
      throw error;
    }
  }

  async put(delivery: Delivery): Promise<void> {
    const queue = this.queues.get(delivery.receiver);
    if (queue === undefined) throw new Error(`no receiver ${delivery.receiver}`);
    await within(this.settings.answerMs, () =>
      queue.add('alert', delivery, {
        jobId: delivery.key,
        attempts: MAX_ATTEMPTS,
        backoff: { type: 'custom' },
        removeOnComplete: true,
        removeOnFail: true,
      }),
    );
  }

  /** `breakOff`: attempts in flight are ended too; else they finish, so that an answer under way is not asked for twice. */
  close(breakOff: boolean): Promise<void> {
    this.closing ??= this.end(breakOff);
    return this.closing;
  }

  private async start(attempt: Attempt): Promise<void> {
    const { prefix, receivers } = this.settings;
    for (const { name, minGapMs } of receivers) {
      const queue = new Queue<Delivery>(`alerts.${name}`, { connection: this.feeding, prefix });
      queue.on('error', this.broken);
      this.queues.set(name, queue);
      const worker = new Worker<Delivery>(`alerts.${name}`, (job) => this.work(job, queue, attempt), {
        connection: this.working,
        prefix,
        concurrency: 1,
        lockDuration: 30_000,
        stalledInterval: 10_000,
        ...(minGapMs > 0 ? { limiter: { max: 1, duration: minGapMs } } : {}),
        settings: { backoffStrategy: (_made, _type, error) => (error instanceof Later ? error.inMs : 1_000) },
      });
      worker.on('error', this.broken);
      this.workers.push(worker);
    }
    await Promise.all([...this.queues.values(), ...this.workers].map((each) => each.waitUntilReady()));
  }

  private async work(job: Job<Delivery>, queue: Queue<Delivery>, attempt: Attempt): Promise<void> {
    const attempts = job.data.attempts + job.attemptsMade;
    const result = await attempt({ ...job.data, attempts }, this.stopping.signal);
    if (result.next === 'done') return;
    if (result.next === 'again') throw new Later(result.inMs);
    await queue.rateLimit(result.inMs);
    throw new RateLimitError();
  }

  /** Whatever it was: a new life costs two seconds, in which others carry the alerts. */
  private readonly broken = (error: unknown): void => {
    if (this.ready && this.closing === null) this.failed(this, error);
  };

  private readonly ended = (): void => this.broken(new Error('Redis closed the connection'));

  private async end(breakOff: boolean): Promise<void> {
    if (breakOff) this.stopping.abort();
    // Bounded: neither waits for a Redis that is gone.
    const parts = [...this.workers.map((w) => w.close(!breakOff)), ...[...this.queues.values()].map((q) => q.close())];
    await within(CLOSE_MS, () => Promise.allSettled(parts)).catch(() => undefined);
    this.feeding.disconnect();
    this.working.disconnect();
  }
}

/** Rejects after `ms`; what `work` does later is of no consequence. */
async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis gave no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
