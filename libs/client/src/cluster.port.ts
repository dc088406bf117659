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
  run(c: ConsumerRunConfig): Promise<void>;
  commitOffsets(offsets: TopicPartitionOffset[]): Promise<void>;
  disconnect(): Promise<void>;
  onJoined(f: () => void): void;
  /** The consumer ended on an error; `restarts`: it starts again by itself. */
  onCrash(f: (error: Error, restarts: boolean) => void): void;
}

export interface ClusterPort {
  producer(c: ProducerConfig): ProducerPort;
  consumer(c: ConsumerConfig): ConsumerPort;
  /** The topic's `max.message.bytes` in force. */
  maxMessageBytes(topic: string): Promise<number>;
}

export type OpenCluster = (name: string, config: KafkaConfig) => ClusterPort;
