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
import { ProducerSessions } from './producer-sessions.js';
import { Quiet } from './quiet.js';
import { bytesOf, copyMessages } from './send-item.js';
import type { SendItem } from './send-item.js';
import { atMost } from './timing.js';
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
  private readonly sessions: ProducerSessions;
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
    this.sessions = new ProducerSessions({
      clusters: deps.clusters,
      open: deps.open,
      config: rest,
      warmStandby: deps.warmStandby,
      lanes: this.lanes,
      unavailable: (error) => deps.emit('blocked', { reason: 'unavailable', error }),
    });
  }

  async connect(): Promise<void> {
    if (this.state === 'closed') throw new Error('this producer was disconnected; make a new one');
    this.start();
    const connected = this.sessions.current?.connected;
    if (connected === undefined) return;
    // Not longer than a moment: a cluster that does not answer must not keep a service from starting.
    await atMost(1_000, connected);
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
    const session = this.sessions.current;
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
      await atMost(flushMs, new Promise<void>((resolve) => (this.emptied = resolve)));
    }
    for (const item of [...this.unsettled]) this.giveUp(item, 'closed');
    if (this.expiry !== null) clearTimeout(this.expiry);
    for (const lane of this.lanes.values()) lane.stop();
    this.quiet.giveUp();
    this.sessions.close();
    this.deps.closed(this);
  }

  /**
   * Follows the pointer. Resolves true once connected to its cluster (in DRAIN and HOLD: once drained), false if a later
   * pointer came before.
   */
  async adopt(pointer: Pointer): Promise<boolean> {
    if (this.state !== 'started') return true;
    this.quiet.giveUp();
    this.sessions.follow(pointer);
    if (this.deps.mode() !== 'ACTIVE') return this.quiet.reached();
    return (await this.sessions.current?.connected) ?? false;
  }

  private start(): void {
    if (this.state !== 'new') return;
    this.state = 'started';
    const pointer = this.deps.current();
    if (pointer !== null) void this.adopt(pointer);
  }

  private lane(topic: string): TopicLane {
    let lane = this.lanes.get(topic);
    if (lane === undefined) {
      lane = new TopicLane(topic, {
        idempotent: this.config.idempotent === true,
        session: () => this.sessions.of(topic),
        paused: () => this.deps.mode() !== 'ACTIVE',
        renew: (session) => this.sessions.renew(topic, session),
        isolate: (session) => this.sessions.isolate(topic, session),
        answered: (session) => this.sessions.answered(topic, session),
        rested: () => {
          this.sessions.endUnused();
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
