import type { KafkaConfig, ProducerConfig } from 'kafkajs';
import type { Pointer, PointerMode } from '#config-center';
import type { ClientState } from './adoption-reporter.js';
import { classifyFailure } from './classify-failure.js';
import { SwitchTimeoutError, asError } from './client.errors.js';
import type {
  SwitchingRecord,
  SwitchingTransaction,
  SwitchingTransactionalConfig,
  SwitchingTransactionalProducer,
} from './client.types.js';
import type { OpenCluster, TransactionPort } from './cluster.port.js';
import type { Emit } from './events.js';
import { judgeRefusedWrite } from './judge-refused-write.js';
import { ABORT_GRACE_MS, OpenTransaction } from './open-transaction.js';
import { ProducerSession } from './producer-session.js';
import { Quiet } from './quiet.js';
import { bytesOf } from './send-item.js';
import { atMost, backoffMs, pause } from './timing.js';

export type TransactionsDeps = Readonly<{
  clusters: Readonly<Record<string, KafkaConfig>>;
  open: OpenCluster;
  emit: Emit;
  current(): Pointer | null;
  mode(): PointerMode;
  refreshPointer(): Promise<boolean>;
  closed(producer: PointerTransactions): void;
}>;

const DEFAULT_MAX_WAIT_MS = 180_000;

/** Transactions that end at a switch and begin anew on the cluster that is active then. */
export class PointerTransactions implements SwitchingTransactionalProducer {
  private readonly deps: TransactionsDeps;
  private readonly config: ProducerConfig;
  private readonly maxWaitMs: number;
  private readonly quiet = new Quiet(() => this.drained);
  private session: ProducerSession | null = null;
  private beginning = false;
  private active: OpenTransaction | null = null;
  private closing: Promise<void> = Promise.resolve(); // the last transaction lets go of its connection
  private readonly acknowledged = new Set<string>(); // "cluster" and "cluster topic", over all sessions: each failure makes another one
  private wake = new AbortController();
  private state: 'new' | 'started' | 'closed' = 'new';
  private failures = 0;

  constructor(config: SwitchingTransactionalConfig, deps: TransactionsDeps) {
    const { maxWaitMs, ...rest } = config;
    this.deps = deps;
    this.config = { maxInFlightRequests: 1, ...rest };
    this.maxWaitMs = maxWaitMs ?? DEFAULT_MAX_WAIT_MS;
  }

  async connect(): Promise<void> {
    this.start();
    const connected = this.session?.connected;
    if (connected === undefined) return;
    await atMost(1_000, connected); // as of the other producers
  }

  /** For the adoption report; null before the first transaction or connect. */
  describe(): ClientState {
    const { session } = this;
    if (this.state !== 'started' || session === null) return null;
    const { cluster, epoch } = session;
    if (this.deps.mode() !== 'ACTIVE') return { cluster, epoch, state: this.drained ? 'drained' : 'moving' };
    return { cluster, epoch, state: session.isConnected ? 'following' : 'moving' };
  }

  get drained(): boolean {
    return this.active === null;
  }

  async transaction(): Promise<SwitchingTransaction> {
    if (this.active !== null || this.beginning)
      throw new RangeError('a transaction of this producer is open: end it before you begin another');
    this.start();
    this.beginning = true;
    try {
      return await this.begin();
    } finally {
      this.beginning = false;
    }
  }

  async disconnect(): Promise<void> {
    if (this.state === 'closed') return;
    this.state = 'closed';
    await this.active?.lose('closed', ABORT_GRACE_MS);
    this.wake.abort();
    this.quiet.giveUp();
    this.session?.end();
    this.deps.closed(this);
  }

  /** As for the other producers. In DRAIN and HOLD: true once no transaction is open; none is aborted for it. */
  async adopt(pointer: Pointer): Promise<boolean> {
    if (this.state !== 'started') return true;
    this.quiet.giveUp();
    const old = this.session;
    if (old?.cluster === pointer.activeCluster) old.epoch = pointer.epoch;
    else {
      this.replace(pointer.activeCluster, pointer.epoch); // first: what is lost here is not begun anew on the old one
      void this.active?.lose('switched', ABORT_GRACE_MS);
      this.failures = 0;
    }
    this.rouse();
    if (this.deps.mode() !== 'ACTIVE') return this.quiet.reached();
    return (await this.session?.connected) ?? false;
  }

  private start(): void {
    if (this.state === 'closed') throw new Error('this producer was disconnected; make a new one');
    if (this.state === 'started') return;
    this.state = 'started';
    const pointer = this.deps.current();
    if (pointer !== null) void this.adopt(pointer);
  }

  private async begin(): Promise<SwitchingTransaction> {
    const startedAt = performance.now();
    for (let lastError: unknown; ;) {
      const waitedMs = performance.now() - startedAt;
      if (this.state === 'closed') throw new SwitchTimeoutError('closed', waitedMs, false, lastError);
      if (waitedMs >= this.maxWaitMs) throw new SwitchTimeoutError('max-wait', waitedMs, false, lastError);
      const session = this.session;
      if (session === null || !session.isConnected || this.deps.mode() !== 'ACTIVE') {
        await pause(this.maxWaitMs - waitedMs, this.wake.signal);
        continue;
      }
      if (this.failures > 0) await pause(Math.min(backoffMs(this.failures), this.maxWaitMs), this.wake.signal);
      if (this.session !== session) continue;
      try {
        const port = await session.producer.transaction();
        if (this.session !== session || this.deps.mode() !== 'ACTIVE') {
          await port.abort().catch(() => this.forget(session)); // moved on, or asked to be quiet, while it began
          continue;
        }
        return this.opened(session, port);
      } catch (e) {
        lastError = e;
        if (this.failures++ === 0) this.deps.emit('blocked', { reason: 'unavailable', error: asError(e) });
        this.forget(session);
      }
    }
  }

  private opened(session: ProducerSession, port: TransactionPort): OpenTransaction {
    const transaction: OpenTransaction = new OpenTransaction(session, port, {
      acknowledged: (topic) => this.acknowledged.add(session.cluster).add(`${session.cluster} ${topic}`),
      judge: (e, record) => this.judge(session, e, record),
      ended: (how) => {
        this.closing = transaction.gone;
        if (this.active === transaction) this.active = null;
        if (how === 'clean') {
          this.failures = 0;
        } else {
          this.failures++;
          this.forget(session);
        }
        this.quiet.look();
      },
    });
    this.active = transaction;
    return transaction;
  }

  private async judge(session: ProducerSession, error: unknown, record: SwitchingRecord | null) {
    const failure = classifyFailure(error);
    if (failure.kind !== 'too-large' && failure.kind !== 'not-authorized')
      return failure.kind === 'refused' ? 'refused' : 'failed';
    const verdict = await judgeRefusedWrite({
      kind: failure.kind,
      topic: record?.topic ?? '',
      bytes: record === null ? 0 : bytesOf(record.messages),
      acknowledgedBefore: this.acknowledged.has(
        record === null ? session.cluster : `${session.cluster} ${record.topic}`,
      ),
      refreshPointer: () => this.deps.refreshPointer(),
      movedOn: () => this.session !== session,
      maxMessageBytes: () => session.port.maxMessageBytes(record?.topic ?? ''),
    });
    return verdict === 'moved-on' || verdict === 'unclear' ? 'failed' : verdict;
  }

  /** A producer whose transaction did not end cleanly is not used again: the next one's first act aborts what it left. */
  private forget(session: ProducerSession): void {
    if (this.session === session && this.state !== 'closed') this.replace(session.cluster, session.epoch);
  }

  private replace(cluster: string, epoch: number): void {
    const old = this.session;
    const config = this.deps.clusters[cluster];
    this.session = null;
    if (config !== undefined) {
      let told = false;
      const session: ProducerSession = new ProducerSession(
        cluster,
        epoch,
        this.deps.open(cluster, config),
        this.config,
        (error) => {
          if (!told && this.session === session) this.deps.emit('blocked', { reason: 'unavailable', error });
          told = true;
        },
      );
      this.session = session;
      void session.connected.then(() => this.rouse());
    }
    if (old === null) return;
    // The abort of its last transaction still needs the connection for a moment.
    void (this.active?.gone ?? this.closing).then(() => old.end());
  }

  private rouse(): void {
    this.wake.abort();
    this.wake = new AbortController();
  }
}
