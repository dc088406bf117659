import type {
  ConsumerConfig,
  ConsumerRunConfig,
  KafkaConfig,
  ProducerConfig,
  ProducerRecord,
  Offsets,
  RecordMetadata,
  TopicPartitionOffset,
} from 'kafkajs';

/** What the switching code needs of a Kafka client: few enough calls that a test can pretend each order of answers. */
export interface TransactionPort {
  send(record: ProducerRecord): Promise<RecordMetadata[]>;
  sendOffsets(offsets: Offsets & Readonly<{ consumerGroupId: string }>): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
}

export interface ProducerPort {
  connect(): Promise<void>;
  send(record: ProducerRecord): Promise<RecordMetadata[]>;
  /** Begins one; rejects while another of this producer is open. */
  transaction(): Promise<TransactionPort>;
  /** Lets requests under way be answered, then closes. */
  disconnect(): Promise<void>;
}

export interface ConsumerPort {
  connect(): Promise<void>;
  subscribe(s: { topics: (string | RegExp)[]; fromBeginning: boolean }): Promise<void>;
  /** Resolves when the group is joined, or when that failed and `onCrash` has told it. */
  run(c: ConsumerRunConfig): Promise<void>;
  commitOffsets(offsets: TopicPartitionOffset[]): Promise<void>;
  /** Leaves the group and closes. Never while `run` is pending: it would not leave, and not be able to afterwards. */
  disconnect(): Promise<void>;
  onJoined(f: () => void): void;
  /** The consumer ended on an error. */
  onCrash(f: (error: Error) => void): void;
}

export interface ClusterPort {
  producer(c: ProducerConfig): ProducerPort;
  consumer(c: ConsumerConfig): ConsumerPort;
  /** The topic's `max.message.bytes` in force. */
  maxMessageBytes(topic: string): Promise<number>;
}

export type OpenCluster = (name: string, config: KafkaConfig) => ClusterPort;
