import type { Message, ProducerConfig, ProducerRecord, RecordMetadata } from 'kafkajs';
import type { ClusterPort, ConsumerPort, ProducerPort } from './cluster.port.js';

type Batch = Readonly<{ sequence: number; count: number; baseOffset: number }>;

export const brokerError = (code: number) => Object.assign(new Error(`error ${code}`), { code });
export const connectionLost = () => Object.assign(new Error('connection lost'), { name: 'KafkaJSConnectionError' });

const PARTITIONS = [0, 1];
const partitionMetadata = PARTITIONS.map((partitionId) => ({
  partitionErrorCode: 0,
  partitionId,
  leader: 1,
  replicas: [1],
  isr: [1],
  offlineReplicas: [],
}));

/** One broker that keeps logs and sequences, behind kafkajs as far as its failures matter: see `AppendingProducer`. */
export class AppendingCluster implements ClusterPort {
  readonly logs = new Map<string, string[]>(); // topic-partition → values
  readonly refusing = new Map<string, number>(); // topic-partition → the error that it answers
  readonly unknownTopics = new Map<string, number>(); // topic → the error that its metadata has
  readonly producers: AppendingProducer[] = [];
  readonly requests: string[][] = []; // values
  readonly losing = new Set<string>(); // topics whose records are written, and nobody learns it
  answering: Promise<void> = Promise.resolve(); // answers wait for it
  deadRequests = 0; // of the next: not written

  producer(config: ProducerConfig): ProducerPort {
    const producer = new AppendingProducer(this, config);
    this.producers.push(producer);
    return producer;
  }

  consumer(): ConsumerPort {
    throw new Error('no consumer in these tests');
  }

  async maxMessageBytes(): Promise<number> {
    return 1_048_588;
  }

  log(topic: string, partition: number): string[] {
    const name = `${topic}-${partition}`;
    const log = this.logs.get(name) ?? [];
    this.logs.set(name, log);
    return log;
  }

  get open(): number {
    return this.producers.filter((p) => !p.closed).length;
  }
}

/**
 * As kafkajs 2.2.4: one metadata request names every topic ever sent to, and fails for any of them; a request fails as a
 * whole for one partition, and then takes the sequence numbers of all of them back. After a lost connection it asks for
 * the metadata again, and if that fails, nothing is heard of the connection.
 */
export class AppendingProducer implements ProducerPort {
  closed = false;
  private readonly cluster: AppendingCluster;
  private readonly idempotent: boolean;
  private readonly choose;
  private readonly topics = new Set<string>();
  private readonly sequences = new Map<string, number>();
  private readonly taken = new Map<string, Batch>(); // the broker's side: the last batch of this producer's id

  constructor(cluster: AppendingCluster, config: ProducerConfig) {
    this.cluster = cluster;
    this.idempotent = config.idempotent === true;
    this.choose = config.createPartitioner?.();
  }

  async connect(): Promise<void> {
    await new Promise(setImmediate); // not at once: sends come meanwhile
  }
  async disconnect(): Promise<void> {
    this.closed = true;
  }
  transaction(): Promise<never> {
    return Promise.reject(new Error('no transactions in these tests'));
  }

  async send({ topic, messages }: ProducerRecord): Promise<RecordMetadata[]> {
    await Promise.resolve();
    this.cluster.requests.push(messages.map((m) => String(m.value)));
    this.topics.add(topic);
    this.readMetadata();
    const batches = new Map<number, Message[]>();
    for (const message of messages) {
      const partition = this.choose?.({ topic, message, partitionMetadata }) ?? 0;
      batches.set(partition, [...(batches.get(partition) ?? []), message]);
    }
    try {
      return await this.produce(topic, batches);
    } catch (e) {
      for (const [partition, batch] of batches) this.advance(`${topic}-${partition}`, -batch.length);
      if ((e as Error).name === 'KafkaJSConnectionError') this.readMetadataAgain();
      throw e;
    }
  }

  private readMetadata(): void {
    for (const t of this.topics) {
      const code = this.cluster.unknownTopics.get(t);
      if (code !== undefined) throw brokerError(code);
    }
  }

  private readMetadataAgain(): void {
    try {
      this.readMetadata();
    } catch (cause) {
      throw Object.assign(new Error(String(cause), { cause }), { name: 'KafkaJSNonRetriableError' });
    }
  }

  private async produce(topic: string, batches: ReadonlyMap<number, readonly Message[]>): Promise<RecordMetadata[]> {
    const sequences = [...batches].map(([partition, batch]) => this.advance(`${topic}-${partition}`, batch.length));
    if (this.cluster.deadRequests > 0) {
      this.cluster.deadRequests--;
      throw connectionLost();
    }
    const answers = [...batches].map(([partition, batch], i) =>
      this.append(topic, partition, batch, sequences[i] ?? 0),
    );
    await this.cluster.answering;
    if (this.cluster.losing.has(topic)) throw connectionLost();
    const refused = answers.find((a) => a.errorCode !== 0);
    if (refused !== undefined) throw brokerError(refused.errorCode);
    return answers;
  }

  /** Returns the sequence number of the batch's first record. */
  private advance(name: string, count: number): number {
    const first = this.sequences.get(name) ?? 0;
    this.sequences.set(name, first + count);
    return first;
  }

  private append(topic: string, partition: number, batch: readonly Message[], sequence: number): RecordMetadata {
    const name = `${topic}-${partition}`;
    const answer = (errorCode: number, baseOffset: number) => ({
      topicName: topic,
      partition,
      errorCode,
      baseOffset: String(baseOffset),
    });
    const refusal = this.cluster.refusing.get(name);
    if (refusal !== undefined) return answer(refusal, -1);
    const last = this.taken.get(name);
    if (this.idempotent && last !== undefined) {
      if (last.sequence === sequence && last.count === batch.length) return answer(0, last.baseOffset);
      if (last.sequence + last.count !== sequence) return answer(45, -1);
    }
    const log = this.cluster.log(topic, partition);
    const baseOffset = log.length;
    this.taken.set(name, { sequence, count: batch.length, baseOffset });
    log.push(...batch.map((m) => String(m.value)));
    return answer(0, baseOffset);
  }
}
