import type { AdoptionLog, Pointer, PointerMode, PointerSource } from '#config-center';
import type {
  ConsumerConfig,
  ConsumerRunConfig,
  EachBatchPayload,
  EachMessagePayload,
  KafkaConfig,
  Offsets,
  ProducerConfig,
  ProducerRecord,
  RecordMetadata,
} from 'kafkajs';

export type SwitchingKafkaOptions = Readonly<{
  group: string; // the hot-standby group whose pointer is followed
  pointers: PointerSource; // stays the caller's: close() does not close it
  clusters: Readonly<Record<string, KafkaConfig>>; // by the names that pointers use
  stateFile?: string; // where the last pointer is kept, for a start while the config center is down
  warmStandby?: boolean; // producers keep a connection to the other clusters too (default false)
  pollIntervalMs?: number; // reads beside the watch, ±20 % (default 5000)
  staleAfterMs?: number; // silence of the config center after which 'stale' is told (default 15 000)
  rejoinJitterMs?: number; // consumers wait up to this before they join the new cluster (default 50)
  /** Where each client says which pointer it follows (default: `pointers`, if it takes reports). Null: nowhere. */
  adoption?: AdoptionLog | null;
  adoptionTtlMs?: number; // how long a dead client is remembered; reports come three times as often (default 30 000)
  handlerGraceMs?: number; // how long the new cluster's first record waits for a handler of the old one (default 5000)
}>;

export type BufferLimits = Readonly<{
  maxRecords: number; // unsettled records, in flight included (default 10 000)
  maxBytes: number; // of keys, values and headers (default 32 MiB)
  maxWaitMs: number; // from send to SwitchTimeoutError; longer than the group's window (default 180 000)
}>;

/**
 * `idempotent` holds within one cluster: what is sent again to another one may be a duplicate (SendOutcome.resent).
 * Transactions have a producer of their own: `transactionalProducer`.
 */
export type SwitchingProducerConfig = Omit<ProducerConfig, 'transactionalId' | 'transactionTimeout' | 'retry'> &
  Readonly<{ buffer?: Partial<BufferLimits> }>;

export type SwitchingTransactionalConfig = Omit<ProducerConfig, 'transactionalId' | 'idempotent' | 'retry'> &
  Readonly<{
    transactionalId: string; // the same on every cluster
    maxWaitMs?: number; // how long transaction() waits for an open cluster (default 180 000)
  }>;

/** acks 0 has no answer, so it cannot be told whether it must be sent again. */
export type SwitchingRecord = Omit<ProducerRecord, 'acks'> & Readonly<{ acks?: -1 | 1 }>;

export type SendOutcome = Readonly<{
  cluster: string; // that acknowledged it
  epoch: number; // of the pointer under which it did
  resent: boolean; // sent again after an attempt whose end is unknown: a duplicate is possible
  metadata: RecordMetadata[]; // one entry per partition, with the offset of this send's first record there
}>;

export interface SwitchingProducer {
  /** Connects to the active cluster. Resolves too when that does not answer yet: sends wait in the buffer. */
  connect(): Promise<void>;
  /**
   * Settles exactly once: acknowledged by the named cluster, or rejected with BufferFullError (never sent),
   * SwitchTimeoutError (says whether it may have been written), or the broker's own refusal of this very record.
   * Records of one topic reach a cluster in the order of the calls.
   */
  send(record: SwitchingRecord): Promise<SendOutcome>;
  /** Records and bytes not yet settled. */
  pending(): Readonly<{ records: number; bytes: number }>;
  /** Waits for what is pending, at most `flushMs` (default 5000); the rest is rejected with SwitchTimeoutError. */
  disconnect(flushMs?: number): Promise<void>;
}

export interface SwitchingTransaction {
  readonly cluster: string;
  readonly epoch: number;
  send(record: SwitchingRecord): Promise<RecordMetadata[]>;
  /** Commits consumed offsets with the transaction, on its own cluster. */
  sendOffsets(offsets: Offsets & Readonly<{ consumerGroupId: string }>): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
  isActive(): boolean;
}

/**
 * Transactions end at the border of a cluster: a switch aborts the open one, and every later call of it rejects with
 * TransactionAbortedError (`retriable`). The caller begins anew; `transaction()` waits until the active cluster is
 * reached and open.
 */
export interface SwitchingTransactionalProducer {
  /** Connects to the active cluster; does not wait longer than a second for one that does not answer. */
  connect(): Promise<void>;
  /**
   * Begins a transaction on the active cluster; one at a time. Waits during DRAIN and HOLD, during a switch and after a
   * fence, at most `maxWaitMs`, then rejects with SwitchTimeoutError (`maybeWritten` false).
   */
  transaction(): Promise<SwitchingTransaction>;
  /** Aborts the open transaction and closes. */
  disconnect(): Promise<void>;
}

/** A setting under which records may be lost, doubled, reordered or kept waiting at a switch. */
export type SettingWarning = Readonly<{ client: string; setting: string; value: string; risk: string }>;

export type Delivered = Readonly<{
  cluster: string;
  epoch: number;
  /** Commits up to and with this record, on the cluster that it came from. For `autoCommit: false`. */
  commit(): Promise<void>;
}>;

export type SwitchingRunConfig = Omit<ConsumerRunConfig, 'eachMessage' | 'eachBatch'> &
  Readonly<{
    eachMessage?: (payload: EachMessagePayload & Delivered) => Promise<void>;
    eachBatch?: (payload: EachBatchPayload & Omit<Delivered, 'commit'>) => Promise<void>;
  }>;

export interface SwitchingConsumer {
  /** Topics to read. Always from the earliest record where the group has no committed offset, never from the latest. */
  subscribe(s: Readonly<{ topics: readonly (string | RegExp)[] }>): void;
  /**
   * Starts, and goes on over every switch with the same group. Resolves at once; a cluster that does not answer is
   * tried until it does or the pointer moves.
   */
  run(c: SwitchingRunConfig): Promise<void>;
  /**
   * Lets the handler at work end and commits what it finished, at most `handlerGraceMs`; then leaves the group, and
   * waits as long again for a cluster that does not answer.
   */
  disconnect(): Promise<void>;
}

export type BlockedReason =
  | 'unavailable' // the active cluster does not answer; sends wait
  | 'fenced' // it refuses writes on purpose; sends wait for the pointer
  | 'consumer-crashed' // the consumer ended on an error; it is started again
  | 'unknown-cluster' // the pointer names a cluster that is not in `clusters`
  | 'foreign-content' // the same epoch with another content: the last pointer is kept (I5)
  | 'term-went-back'; // a higher epoch with a lower term: the last pointer is kept (I5)

export type SwitchingEvents = {
  /** A higher epoch was adopted. */
  pointer: Pointer;
  /** The active cluster changes. From here on no record of the old cluster is handed to a handler any more. */
  switching: Readonly<{ from: string; to: string; pointer: Pointer }>;
  /** Every started producer is connected to the new cluster and every consumer has joined its group there. */
  switched: Readonly<{ from: string; to: string; pointer: Pointer; tookMs: number }>;
  /** Something cannot go on by itself. Told once, until it has gone on. */
  blocked: Readonly<{ reason: BlockedReason; error: Error; topic?: string }>;
  /** The config center (or the state file) does not answer; the last pointer stays in force (I30). */
  stale: Readonly<{ silentMs: number; error: Error }>;
  /**
   * A planned switch asked for quiet, and it is reached: with DRAIN no producer has a record whose end is unknown and
   * no transaction is open; with HOLD every consumer has committed and left its group too. New sends wait.
   */
  paused: Readonly<{ pointer: Pointer; tookMs: number }>;
  /** DRAIN or HOLD is over: by a later pointer, or because its `maxMs` passed without one (config center silent or not). */
  resumed: Readonly<{ pointer: Pointer; by: 'pointer' | 'max-ms' }>;
  /** Told once for each risky setting of a client. */
  warning: SettingWarning;
};

export interface SwitchingKafka {
  producer(c?: SwitchingProducerConfig): SwitchingProducer;
  transactionalProducer(c: SwitchingTransactionalConfig): SwitchingTransactionalProducer;
  consumer(c: ConsumerConfig): SwitchingConsumer;
  /** The pointer in force, or null before the first one. Its mode may be over: see `mode()`. */
  current(): Pointer | null;
  /** What clients do now: the pointer's mode, or ACTIVE once its `maxMs` has passed here. */
  mode(): PointerMode;
  /** Returns what takes the listener off again. */
  on<E extends keyof SwitchingEvents>(event: E, listener: (value: SwitchingEvents[E]) => void): () => void;
  close(): Promise<void>;
}
