import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Kafka, type Producer, type SASLOptions } from 'kafkajs';

// kafkajs defines the errors by getters, which Node does not see as named exports of a CommonJS module.
const { Kafka: KafkaClient, KafkaJSError, logLevel } = kafkajs;

export type Attempt = Readonly<{
  outcome: 'accepted' | 'refused' | 'unreachable';
  startedMs: number; // performance.now() when it was begun
  endedMs: number;
  error: unknown; // null when it was accepted
}>;

const TIMEOUT_MS = 1_000;
const PAUSE_MS = 10;
const MAX_ATTEMPTS = 50_000;

/**
 * An application without the wrapper, which knows no pointer and goes on writing to its cluster: one record after the
 * other, a new connection after each failure. The fence must hold against this one.
 */
export class PlainWriter {
  readonly attempts: Attempt[] = [];
  /** performance.now() of the first time that the cluster answered anything. */
  firstAnswerMs: number | null = null;
  private stopped = false;
  private readonly done: Promise<void>;

  private constructor(
    private readonly kafka: Kafka,
    private readonly topic: string,
  ) {
    this.done = this.run();
  }

  static start(brokers: readonly string[], topic: string, sasl?: SASLOptions): PlainWriter {
    return new PlainWriter(
      new KafkaClient({
        clientId: 'plain-writer',
        brokers: [...brokers],
        logLevel: logLevel.NOTHING,
        connectionTimeout: TIMEOUT_MS,
        requestTimeout: TIMEOUT_MS,
        enforceRequestTimeout: true,
        retry: { retries: 0 },
        ...(sasl === undefined ? {} : { sasl }),
      }),
      topic,
    );
  }

  count(outcome: Attempt['outcome']): number {
    return this.attempts.filter((a) => a.outcome === outcome).length;
  }

  first(outcome: Attempt['outcome']): Attempt | undefined {
    return this.attempts.find((a) => a.outcome === outcome);
  }

  last(outcome: Attempt['outcome']): Attempt | undefined {
    return this.attempts.findLast((a) => a.outcome === outcome);
  }

  async close(): Promise<void> {
    this.stopped = true;
    await this.done;
  }

  private async run(): Promise<void> {
    while (!this.stopped && this.attempts.length < MAX_ATTEMPTS) {
      const producer = this.kafka.producer({ allowAutoTopicCreation: false });
      const startedMs = performance.now();
      try {
        await producer.connect();
        this.firstAnswerMs ??= performance.now();
        await this.writeUntilUnreachable(producer);
      } catch (error) {
        this.note(startedMs, 'unreachable', error);
        await delay(PAUSE_MS);
      } finally {
        await producer.disconnect();
      }
    }
  }

  private async writeUntilUnreachable(producer: Producer): Promise<void> {
    while (!this.stopped && this.attempts.length < MAX_ATTEMPTS) {
      const startedMs = performance.now();
      const number = this.attempts.length;
      try {
        await producer.send({ topic: this.topic, messages: [{ key: `plain-${number}`, value: `plain ${number}` }] });
        this.note(startedMs, 'accepted', null);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.note(startedMs, 'refused', error);
      }
      await delay(PAUSE_MS);
    }
  }

  private note(startedMs: number, outcome: Attempt['outcome'], error: unknown): void {
    this.attempts.push({ outcome, startedMs, endedMs: performance.now(), error });
  }
}

const REFUSALS = ['MESSAGE_TOO_LARGE', 'TOPIC_AUTHORIZATION_FAILED', 'RECORD_LIST_TOO_LARGE', 'POLICY_VIOLATION'];

/** The broker's own answer that this write is not allowed; everything else means that the cluster is not there yet. */
function isRefusal(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof KafkaJSError && 'type' in cause && REFUSALS.includes(String(cause.type))) return true;
  return false;
}
