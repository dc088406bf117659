import type { Offsets, RecordMetadata } from 'kafkajs';
import { TransactionAbortedError } from './client.errors.js';
import type { SwitchingRecord, SwitchingTransaction } from './client.types.js';
import type { TransactionPort } from './cluster.port.js';
import type { ProducerSession } from './producer-session.js';
import { atMost } from './timing.js';

// How long the old cluster gets to abort; after it the broker's own transaction timeout ends it.
export const ABORT_GRACE_MS = 5_000;

export type TransactionHost = Readonly<{
  acknowledged(topic: string): void; // the cluster took a record of it
  judge(e: unknown, record: SwitchingRecord | null): Promise<'refused' | 'fenced' | 'failed'>;
  ended(how: 'clean' | 'broken'): void;
}>;

/** One transaction of one cluster. Any failure ends it; the caller learns whether it may be repeated. */
export class OpenTransaction implements SwitchingTransaction {
  readonly cluster: string;
  readonly epoch: number;
  readonly gone: Promise<void>; // aborted, committed or given up: its connection may be closed
  private readonly port: TransactionPort;
  private readonly host: TransactionHost;
  private over: Error | null = null;
  private committing = false;
  private lost: (e: Error) => void = () => undefined;
  private readonly losing: Promise<never>;
  private tellGone: () => void = () => undefined;

  constructor(session: ProducerSession, port: TransactionPort, host: TransactionHost) {
    this.cluster = session.cluster;
    this.epoch = session.epoch;
    this.port = port;
    this.host = host;
    this.losing = new Promise((_, reject) => (this.lost = reject));
    this.losing.catch(() => undefined); // told by the calls that race with it, and by every later one
    this.gone = new Promise((resolve) => (this.tellGone = resolve));
  }

  isActive(): boolean {
    return this.over === null;
  }

  async send(record: SwitchingRecord): Promise<RecordMetadata[]> {
    const metadata = await this.attempt(() => this.port.send({ ...record, acks: -1 }), record);
    this.host.acknowledged(record.topic);
    return metadata;
  }

  sendOffsets(offsets: Offsets & Readonly<{ consumerGroupId: string }>): Promise<void> {
    return this.attempt(() => this.port.sendOffsets(offsets), null);
  }

  async commit(): Promise<void> {
    await this.attempt(() => {
      this.committing = true;
      return this.port.commit();
    }, null);
    this.finish('clean');
  }

  async abort(): Promise<void> {
    await this.attempt(() => this.port.abort(), null);
    this.finish('clean');
  }

  /** Ends it from outside. Resolves when the abort is through or its grace is over. */
  async lose(reason: 'switched' | 'closed', graceMs: number): Promise<void> {
    if (this.over !== null) return;
    this.finish('broken', new TransactionAbortedError(reason, this.cluster, this.committing, undefined));
    await this.abortWithin(graceMs);
  }

  private async attempt<T>(request: () => Promise<T>, record: SwitchingRecord | null): Promise<T> {
    this.refuseIfOver();
    try {
      return await Promise.race([request(), this.losing]);
    } catch (e) {
      this.refuseIfOver();
      const why = await Promise.race([this.host.judge(e, record), this.losing]);
      const reason = why === 'fenced' ? 'fenced' : 'failed';
      const error = new TransactionAbortedError(reason, this.cluster, this.committing, e, why !== 'refused');
      this.finish('broken', error);
      void this.abortWithin(ABORT_GRACE_MS);
      throw error;
    }
  }

  private refuseIfOver(): void {
    if (this.over !== null) throw this.over;
  }

  private finish(how: 'clean' | 'broken', error?: Error): void {
    if (this.over !== null) return;
    this.over = error ?? new RangeError('this transaction has ended; begin another');
    if (error !== undefined) this.lost(error);
    if (how === 'clean') this.tellGone();
    this.host.ended(how);
  }

  private async abortWithin(graceMs: number): Promise<void> {
    // A commit under way may not be followed by an abort; a cluster that is dead answers neither.
    const through = this.committing ? new Promise(() => undefined) : this.port.abort().catch(() => undefined);
    await atMost(graceMs, through);
    this.tellGone();
  }
}
