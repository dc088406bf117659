import kafkajs from 'kafkajs';
import type { Message, ProducerConfig, ProducerRecord, RecordMetadata } from 'kafkajs';
import { asError } from './client.errors.js';
import type { ClusterPort, ProducerPort } from './cluster.port.js';
import { backoffMs, pause } from './timing.js';

/** A producer bound to one cluster, connected or on the way to it. */
export class ProducerSession {
  readonly cluster: string;
  epoch: number; // of the newest pointer that names this cluster
  readonly port: ClusterPort;
  readonly producer: ProducerPort;
  readonly connected: Promise<boolean>; // false: ended before it was
  /** Where the partitioner put a message that was handed to this session. */
  readonly partitions = new WeakMap<Message, number>();
  private readonly placed = new WeakSet<Message>(); // by the newest attempt
  isConnected = false;
  private readonly ending = new AbortController();

  constructor(
    cluster: string,
    epoch: number,
    port: ClusterPort,
    config: ProducerConfig,
    onFailure: (e: Error) => void,
  ) {
    this.cluster = cluster;
    this.epoch = epoch;
    this.port = port;
    const createPartitioner = config.createPartitioner ?? kafkajs.Partitioners.DefaultPartitioner;
    this.producer = port.producer({
      ...config,
      createPartitioner: () => {
        const choose = createPartitioner();
        return (args) => {
          // Kept for an idempotent producer: a repeated record is recognised by the partition that may have it already.
          const kept = config.idempotent === true ? this.partitions.get(args.message) : undefined;
          const partition = kept ?? choose(args);
          this.partitions.set(args.message, partition);
          this.placed.add(args.message);
          return partition;
        };
      },
    });
    this.connected = this.connect(onFailure);
  }

  send(record: ProducerRecord): Promise<RecordMetadata[]> {
    for (const message of record.messages) this.placed.delete(message);
    return this.producer.send(record);
  }

  /** Whether the newest attempt came as far as the partitioner: then the metadata of all topics was there. */
  hasPlaced(messages: readonly Message[]): boolean {
    return messages.some((m) => this.placed.has(m));
  }

  get ended(): boolean {
    return this.ending.signal.aborted;
  }

  /** Closes in the background: a dead cluster must not hold up the switch to a living one. */
  end(): void {
    if (this.ended) return;
    this.ending.abort();
    // Requests under way may still be answered (a late acknowledgement counts); that closing a dead connection fails
    // tells nothing.
    void this.producer.disconnect().catch(() => undefined);
  }

  private async connect(onFailure: (e: Error) => void): Promise<boolean> {
    for (let failures = 0; !this.ended; failures++) {
      try {
        await this.producer.connect();
        if (this.ended) {
          await this.producer.disconnect();
          return false;
        }
        this.isConnected = true;
        return true;
      } catch (e) {
        if (!this.ended) onFailure(asError(e));
        await pause(backoffMs(failures), this.ending.signal);
      }
    }
    return false;
  }
}
