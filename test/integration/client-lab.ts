import { setTimeout as delay } from 'node:timers/promises';
import { createSwitchingKafka } from '#client';
import type { SwitchingKafka, SwitchingKafkaOptions } from '#client';
import { SqlConfigCenter } from '#config-center';
import type { Pointer } from '#config-center';
import { startLab, waitFor } from '#lab';
import type { Lab, LabClusterName } from '#lab';

export type Read = Readonly<{ partition: number; offset: string; key: string; value: string }>;

/** Two real clusters, a config center in PostgreSQL, and what the client tests do with them. */
export class ClientBench {
  readonly lab: Lab;
  readonly center: SqlConfigCenter;
  private readonly clients: SwitchingKafka[] = [];

  private constructor(lab: Lab, center: SqlConfigCenter) {
    this.lab = lab;
    this.center = center;
  }

  static async start(): Promise<ClientBench> {
    const lab = await startLab({ etcd: false });
    const center = new SqlConfigCenter({ url: await lab.postgresUrl('a'), pollIntervalMs: 50 });
    await waitFor('the schema', () => center.prepare().then(() => true as const), { timeoutMs: 10_000 });
    return new ClientBench(lab, center);
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((c) => c.close()));
    await this.center.close();
    await this.lab.close();
  }

  async publish(group: string, activeCluster: LabClusterName, epoch: number): Promise<Pointer> {
    const pointer: Pointer = {
      version: 1,
      group,
      activeCluster,
      mode: 'ACTIVE',
      epoch,
      term: 1,
      sagaId: null,
      bootstrapServers: this.lab.bootstrapServers(activeCluster, 'a'),
      publishedAt: new Date().toISOString(),
    };
    await this.center.claim(group, 1);
    const result = await this.center.publish(pointer, { expectedEpoch: epoch - 1, term: 1 });
    if (!result.ok) throw new Error(`publish: ${result.reason}`);
    return pointer;
  }

  client(group: string, more: Partial<SwitchingKafkaOptions> = {}): SwitchingKafka {
    const clusters = Object.fromEntries(
      (['a', 'b'] as const).map((name) => [
        name,
        { brokers: this.lab.bootstrapServers(name, 'c'), requestTimeout: 3_000 },
      ]),
    );
    const client = createSwitchingKafka({ group, pointers: this.center, clusters, pollIntervalMs: 500, ...more });
    this.clients.push(client);
    return client;
  }

  /** Everything in a topic now, by an independent reader. */
  async readAll(cluster: LabClusterName, topic: string): Promise<Read[]> {
    const kafka = this.lab.kafka(cluster);
    const admin = kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    const missing = new Map(ends.filter((e) => e.high !== e.low).map((e) => [e.partition, BigInt(e.high) - 1n]));
    const reads: Read[] = [];
    if (missing.size === 0) return reads;
    const consumer = kafka.consumer({
      groupId: `reader-${Math.random()}`,
      maxWaitTimeInMs: 200,
      retry: { retries: 8 },
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        reads.push({ partition, offset: message.offset, key: String(message.key), value: String(message.value) });
        const last = missing.get(partition);
        if (last !== undefined && BigInt(message.offset) >= last) missing.delete(partition);
      },
    });
    await waitFor(`the end of ${topic} on ${cluster}`, () => (missing.size === 0 ? true : undefined), {
      timeoutMs: 20_000,
    });
    await consumer.disconnect();
    return reads;
  }

  async setMaxMessageBytes(cluster: LabClusterName, topic: string, bytes: number): Promise<void> {
    const admin = this.lab.kafka(cluster).admin();
    await admin.connect();
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic, configEntries: [{ name: 'max.message.bytes', value: String(bytes) }] }],
    });
    await admin.disconnect();
  }
}

export { delay };
