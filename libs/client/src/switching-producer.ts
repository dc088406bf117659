import type { KafkaConfig, ProducerConfig } from 'kafkajs';
import type { Pointer, PointerMode } from '#config-center';
import type { ClientState } from './adoption-reporter.js';
import { BufferFullError, SwitchTimeoutError } from './client.errors.js';
import type {
  BufferLimits,
  SendOutcome,
  SwitchingProducer,
  SwitchingProducerConfig,
  SwitchingRecord,
} from './client.types.js';
import type { OpenCluster } from './cluster.port.js';
import type { Emit } from './events.js';
import { ProducerSession } from './producer-session.js';
import { Quiet } from './quiet.js';
import { bytesOf, copyMessages } from './send-item.js';
import type { SendItem } from './send-item.js';
import { TopicLane } from './topic-lane.js';

export type ProducerDeps = Readonly<{
  clusters: Readonly<Record<string, KafkaConfig>>;
  open: OpenCluster;
  warmStandby: boolean;
  emit: Emit;
  current(): Pointer | null;
  mode(): PointerMode;
  sendsWithAcks1(): void; // told at the first
  refreshPointer(): Promise<boolean>;
  closed(producer: PointerProducer): void;
}>;

const DEFAULT_LIMITS: BufferLimits = { maxRecords: 10_000, maxBytes: 32 * 1024 * 1024, maxWaitMs: 180_000 };

/** The producer that goes on over a switch: a bounded buffer, one lane per topic, and a session per cluster. */
export class PointerProducer implements SwitchingProducer {
  private readonly deps: ProducerDeps;
  private readonly limits: BufferLimits;
  private readonly config: ProducerConfig;
  private readonly lanes = new Map<string, TopicLane>();
  private readonly unsettled = new Set<SendItem>(); // in the order of the calls, so of their deadlines too
  private readonly warm = new Map<string, ProducerSession>();
  private readonly retired = new Set<ProducerSession>(); // of the active cluster; some lanes still need them
  private session: ProducerSession | null = null;
  private records = 0;
  private bytes = 0;
  private expiry: NodeJS.Timeout | null = null;
  private state: 'new' | 'started' | 'closed' = 'new';
  private emptied: (() => void) | null = null;
  private readonly quiet = new Quiet(() => this.drained);

  constructor(config: SwitchingProducerConfig, deps: ProducerDeps) {
    const { buffer, ...rest } = config;
    if ((rest as ProducerConfig).transactionalId !== undefined)
      throw new RangeError(
        'transactionalId: use transactionalProducer(), a transaction ends at the border of a cluster',
      );
    this.deps = deps;
    this.config = rest;
    this.limits = { ...DEFAULT_LIMITS, ...buffer };
  }

  async connect(): Promise<void> {
    if (this.state === 'closed') throw new Error('this producer was disconnected; make a new one');
    this.start();
    const connected = this.session?.connected;
    if (connected === undefined) return;
    // Not longer than a moment: a cluster that does not answer must not keep a service from starting.
    let timer: NodeJS.Timeout | undefined;
    const moment = new Promise((resolve) => (timer = setTimeout(resolve, 1_000)));
    await Promise.race([connected, moment]);
    clearTimeout(timer);
  }

  send(record: SwitchingRecord): Promise<SendOutcome> {
    if (this.state === 'closed') return Promise.reject(new SwitchTimeoutError('closed', 0, false, undefined));
    const fault = faultOf(record);
    if (fault !== null) return Promise.reject(new TypeError(fault));
    if (this.config.idempotent === true && record.acks === 1)
      return Promise.reject(new TypeError('send: an idempotent producer needs acks -1'));
    this.start();
    if (record.acks === 1) this.deps.sendsWithAcks1();
    const bytes = bytesOf(record.messages);
    if (this.records + record.messages.length > this.limits.maxRecords)
      return Promise.reject(new BufferFullError('maxRecords', this.limits.maxRecords));
    if (this.bytes + bytes > this.limits.maxBytes)
      return Promise.reject(new BufferFullError('maxBytes', this.limits.maxBytes));
    const messages = copyMessages(record.messages, Date.now());
    return new Promise((resolve, reject) => {
      const item: SendItem = {
        record,
        messages,
        bytes,
        sentAtMs: performance.now(),
        settle: (result) => (result instanceof Error ? reject(result) : resolve(result)),
        settled: false,
        unanswered: messages.length,
        metadata: [],
        attempts: 0,
        maybeWritten: false,
        strikes: 0,
        lastError: undefined,
        lateAck: null,
      };
      this.unsettled.add(item);
      this.records += item.messages.length;
      this.bytes += bytes;
      this.expectExpiry();
      this.lane(record.topic).enqueue(item);
    });
  }

  pending(): Readonly<{ records: number; bytes: number }> {
    return { records: this.records, bytes: this.bytes };
  }

  /** For the adoption report; null before the first send or connect. */
  describe(): ClientState {
    const { session } = this;
    if (this.state !== 'started' || session === null) return null;
    const { cluster, epoch } = session;
    if (this.deps.mode() !== 'ACTIVE') return { cluster, epoch, state: this.drained ? 'drained' : 'moving' };
    return { cluster, epoch, state: session.isConnected ? 'following' : 'moving' };
  }

  /** Nothing in flight and nothing whose end is unknown: what waits in the buffer was never written anywhere. */
  get drained(): boolean {
    return [...this.lanes.values()].every((lane) => lane.certain);
  }

  async disconnect(flushMs = 5_000): Promise<void> {
    if (this.state === 'closed') return;
    this.state = 'closed';
    if (this.unsettled.size > 0) {
      let timer: NodeJS.Timeout | undefined;
      const emptied = new Promise<void>((resolve) => (this.emptied = resolve));
      await Promise.race([emptied, new Promise<void>((resolve) => (timer = setTimeout(resolve, flushMs)))]);
      clearTimeout(timer);
    }
    for (const item of [...this.unsettled]) this.giveUp(item, 'closed');
    if (this.expiry !== null) clearTimeout(this.expiry);
    for (const lane of this.lanes.values()) lane.stop();
    this.quiet.giveUp();
    for (const session of [this.session, ...this.retired, ...this.warm.values()]) session?.end();
    this.deps.closed(this);
  }

  /**
   * Follows the pointer. Resolves true once connected to its cluster (in DRAIN and HOLD: once drained), false if a later
   * pointer came before.
   */
  async adopt(pointer: Pointer): Promise<boolean> {
    if (this.state !== 'started') return true;
    this.quiet.giveUp();
    const old = this.session;
    if (old?.cluster === pointer.activeCluster) {
      old.epoch = pointer.epoch;
      for (const lane of this.lanes.values()) lane.retryNow();
    } else {
      this.session = this.take(pointer);
      for (const lane of this.lanes.values()) lane.switched();
      if (old !== null) this.leave(old);
    }
    if (this.deps.mode() !== 'ACTIVE') return this.quiet.reached();
    return (await this.session?.connected) ?? false;
  }

  /** The same cluster with a fresh producer id; lanes move to it as soon as they need the old one no more. */
  private renew(old: ProducerSession): void {
    if (this.session !== old || this.state === 'closed') return;
    const fresh = this.open(old.cluster, old.epoch);
    this.session = fresh;
    this.retired.add(old);
    this.endUnused();
    void fresh?.connected.then((ok) => {
      if (ok && this.session === fresh) for (const lane of this.lanes.values()) lane.retryNow();
    });
  }

  private endUnused(): void {
    for (const session of this.retired) {
      if ([...this.lanes.values()].some((lane) => lane.uses(session))) continue;
      session.end();
      this.retired.delete(session);
    }
  }

  private start(): void {
    if (this.state !== 'new') return;
    this.state = 'started';
    const pointer = this.deps.current();
    if (pointer !== null) void this.adopt(pointer);
  }

  /** The session for the pointer's cluster: a warm one if there is one. Null if the cluster is not configured. */
  private take(pointer: Pointer): ProducerSession | null {
    const name = pointer.activeCluster;
    const session = this.warm.get(name) ?? this.open(name, pointer.epoch);
    this.warm.delete(name);
    if (session === null) return null;
    session.epoch = pointer.epoch;
    void session.connected.then((ok) => {
      if (ok && this.session === session) for (const lane of this.lanes.values()) lane.retryNow();
    });
    if (this.deps.warmStandby) {
      for (const other of Object.keys(this.deps.clusters)) {
        if (other === name || this.warm.has(other) || other === this.session?.cluster) continue;
        const standby = this.open(other, 0);
        if (standby !== null) this.warm.set(other, standby);
      }
    }
    return session;
  }

  private open(name: string, epoch: number): ProducerSession | null {
    const config = this.deps.clusters[name];
    if (config === undefined) return null;
    let told = false;
    const session: ProducerSession = new ProducerSession(
      name,
      epoch,
      this.deps.open(name, config),
      this.config,
      (error) => {
        if (told || this.session !== session) return;
        told = true;
        this.deps.emit('blocked', { reason: 'unavailable', error });
      },
    );
    return session;
  }

  private leave(old: ProducerSession): void {
    old.end();
    this.endUnused();
    if (!this.deps.warmStandby || this.state === 'closed') return;
    const again = this.open(old.cluster, 0); // keeps trying slowly, ready for the way back
    if (again !== null) this.warm.set(old.cluster, again);
  }

  private lane(topic: string): TopicLane {
    let lane = this.lanes.get(topic);
    if (lane === undefined) {
      lane = new TopicLane(topic, {
        idempotent: this.config.idempotent === true,
        session: () => this.session,
        paused: () => this.deps.mode() !== 'ACTIVE',
        renew: (session) => this.renew(session),
        rested: () => {
          this.endUnused();
          this.quiet.look();
        },
        refreshPointer: () => this.deps.refreshPointer(),
        settle: (item, result) => this.settle(item, result),
        blocked: (reason, error) => this.deps.emit('blocked', { reason, error, topic }),
      });
      this.lanes.set(topic, lane);
    }
    return lane;
  }

  private settle(item: SendItem, result: SendOutcome | Error): void {
    if (item.settled) return;
    item.settled = true;
    this.unsettled.delete(item);
    this.records -= item.messages.length;
    this.bytes -= item.bytes;
    item.settle(result);
    if (this.unsettled.size === 0) this.emptied?.();
    this.quiet.look();
  }

  private giveUp(item: SendItem, reason: 'max-wait' | 'closed'): void {
    const lane = this.lanes.get(item.record.topic);
    const inFlight = lane !== undefined && !lane.drop(item) && item.attempts > 0;
    const waitedMs = performance.now() - item.sentAtMs;
    // An acknowledgement of the cluster left behind is still one: the contract counts it.
    this.settle(
      item,
      item.lateAck ?? new SwitchTimeoutError(reason, waitedMs, item.maybeWritten || inFlight, item.lastError),
    );
  }

  /** One timer, for the oldest send: all have the same maxWaitMs, so deadlines come in the order of the calls. */
  private expectExpiry(): void {
    if (this.expiry !== null) return;
    const oldest = this.unsettled.values().next().value;
    if (oldest === undefined) return;
    const dueInMs = oldest.sentAtMs + this.limits.maxWaitMs - performance.now();
    this.expiry = setTimeout(
      () => {
        this.expiry = null;
        const limit = performance.now() - this.limits.maxWaitMs;
        for (const item of this.unsettled) {
          if (item.sentAtMs > limit) break;
          this.giveUp(item, 'max-wait');
        }
        this.expectExpiry();
      },
      Math.max(1, Math.ceil(dueInMs)),
    );
  }
}

function faultOf(record: SwitchingRecord): string | null {
  if (typeof record.topic !== 'string' || record.topic === '') return 'send: topic must be a name';
  if (!Array.isArray(record.messages) || record.messages.length === 0) return 'send: messages must not be empty';
  if ((record.acks as number | undefined) === 0)
    return 'send: acks 0 has no answer, so it could not be kept over a switch';
  for (const { key, value } of record.messages) {
    for (const part of [key ?? null, value])
      if (part !== null && typeof part !== 'string' && !Buffer.isBuffer(part))
        return 'send: keys and values are strings, Buffers or null';
  }
  return null;
}
