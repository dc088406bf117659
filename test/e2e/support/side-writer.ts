import { type Kafka, type Producer } from 'kafkajs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lab, LabClusterName } from '#lab';

const EVERY_MS = 20;
const PARTITIONS = [0, 1];

/** Where a record was acknowledged; keys are never used twice, so that each is found by one name wherever it is copied to. */
export type Acknowledged = Readonly<{ topic: string; partition: number; key: string; cluster: LabClusterName }>;

/**
 * Load on the topics of further groups, by one plain producer for all of them: a record per partition every 20 ms, each sent
 * once. What failed is not sent again: it counts as never written.
 */
export class SideWriter {
  readonly acknowledged: Acknowledged[] = [];
  private stopped = false;
  private number = 0;
  private readonly running: Promise<void>;

  private constructor(
    private readonly kafka: Kafka,
    private readonly cluster: LabClusterName,
    private readonly topics: readonly string[],
  ) {
    this.running = this.run();
  }

  static start(lab: Lab, cluster: LabClusterName, topics: readonly string[]): SideWriter {
    return new SideWriter(lab.kafka(cluster), cluster, topics);
  }

  /** Ends when what is under way is answered or has failed. */
  async stop(): Promise<readonly Acknowledged[]> {
    this.stopped = true;
    await this.running;
    return this.acknowledged;
  }

  private async run(): Promise<void> {
    const producer = this.kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 0 } });
    await producer.connect();
    while (!this.stopped) {
      await Promise.all(this.topics.map((topic) => this.send(producer, topic)));
      await delay(EVERY_MS);
    }
    await producer.disconnect();
  }

  private async send(producer: Producer, topic: string): Promise<void> {
    const key = `${this.cluster}-${this.number++}`;
    const messages = PARTITIONS.map((partition) => ({ partition, key: `${key}-${partition}`, value: topic }));
    try {
      await producer.send({ topic, acks: -1, messages });
    } catch {
      return; // unknown whether it is there: no promise was made
    }
    for (const { partition, key: sent } of messages) {
      this.acknowledged.push({ topic, partition, key: sent, cluster: this.cluster });
    }
  }
}
