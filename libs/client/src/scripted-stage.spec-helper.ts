import type { ConsumerRunConfig, ProducerRecord, RecordMetadata } from 'kafkajs';
import { expect, vi } from 'vitest';
import type { Pointer } from '#config-center';
import { MemoryConfigCenterServer } from '#testing';
import type { SwitchingKafka, SwitchingProducerConfig } from './client.types.js';
import type { ClusterPort, ConsumerPort, ProducerPort, TransactionPort } from './cluster.port.js';
import { createSwitchingKafka } from './switching-kafka.js';

export type Call = Readonly<{ values: string[]; ack(): void; fail(e: Error): void }>;

/** A cluster whose produce requests the test answers, whose consumers it feeds and whose transactions it looks into. */
export class ScriptedCluster implements ClusterPort {
  readonly calls: Call[] = [];
  readonly consumers: ScriptedConsumer[] = [];
  readonly transactions: string[][] = [];
  commitGate: Promise<void> = Promise.resolve();
  joinGate: Promise<void> = Promise.resolve();
  readonly denied = new Set<string>(); // topics that transactions may not write to
  sessions = 0;

  producer(): ProducerPort {
    this.sessions++;
    return {
      connect: async () => undefined,
      disconnect: async () => undefined,
      transaction: async () => this.begin(),
      send: (record: ProducerRecord) =>
        new Promise<RecordMetadata[]>((resolve, reject) => {
          const values = record.messages.map((m) => String(m.value));
          this.calls.push({ values, fail: reject, ack: () => resolve([]) });
        }),
    };
  }

  consumer(): ConsumerPort {
    const consumer = new ScriptedConsumer(() => this.joinGate);
    this.consumers.push(consumer);
    return consumer;
  }

  async maxMessageBytes(): Promise<number> {
    return 1;
  }

  private begin(): TransactionPort {
    const log: string[] = [];
    this.transactions.push(log);
    return {
      send: async (record) => {
        const value = String(record.messages[0]?.value);
        if (this.denied.has(record.topic)) throw Object.assign(new Error('error 29'), { code: 29 });
        if (value === 'fenced') throw Object.assign(new Error('error 10'), { code: 10 });
        log.push(value);
        return [];
      },
      sendOffsets: async () => void log.push('offsets'),
      commit: async () => {
        await this.commitGate;
        log.push('COMMIT');
      },
      abort: async () => void log.push('ABORT'),
    };
  }
}

/** Joins and leaves as kafkajs does: what is closed while it joins is forgotten, and its member stays. */
export class ScriptedConsumer implements ConsumerPort {
  running: ConsumerRunConfig | null = null;
  joining = false;
  left = false; // the group has no member of it any more
  readonly committed: string[] = [];
  private forgotten = false;
  private joined: () => void = () => undefined;
  private readonly mayJoin: () => Promise<void>;

  constructor(mayJoin: () => Promise<void> = () => Promise.resolve()) {
    this.mayJoin = mayJoin;
  }

  async connect(): Promise<void> {}
  async subscribe(): Promise<void> {}
  async run(c: ConsumerRunConfig): Promise<void> {
    this.joining = true;
    await this.mayJoin();
    this.running = c;
    this.joined();
  }
  async commitOffsets(offsets: { offset: string }[]): Promise<void> {
    if (this.left) return; // as kafkajs: dropped without a word
    this.committed.push(...offsets.map((o) => o.offset));
  }
  async disconnect(): Promise<void> {
    if (this.running === null) this.forgotten = this.joining;
    else this.left = !this.forgotten;
  }
  onJoined(f: () => void): void {
    this.joined = f;
  }
  onCrash(): void {}
  async deliver(offset: string): Promise<void> {
    const message = { key: null, value: null, offset, timestamp: '0', attributes: 0, headers: {} };
    const rest = { heartbeat: async () => undefined, pause: () => () => undefined };
    await this.running?.eachMessage?.({ topic: 't', partition: 0, message, ...rest });
  }
}

/** A batch as kafkajs hands it out, and what it does afterwards. */
export class ScriptedBatch {
  stale = false;
  private resolved: string | null = null;
  private readonly offsets: readonly string[];

  constructor(offsets: readonly string[]) {
    this.offsets = offsets;
  }

  async deliverTo(consumer: ScriptedConsumer): Promise<void> {
    const last = this.offsets.at(-1) ?? '';
    const fields = { key: null, value: null, timestamp: '0', attributes: 0, headers: {} };
    const messages = this.offsets.map((offset) => ({ ...fields, offset }));
    await consumer.running?.eachBatch?.({
      batch: {
        topic: 't',
        partition: 0,
        highWatermark: '0',
        messages,
        isEmpty: () => false,
        firstOffset: () => this.offsets[0] ?? null,
        lastOffset: () => last,
        offsetLag: () => '0',
        offsetLagLow: () => '0',
      },
      resolveOffset: (offset) => void (this.resolved = offset),
      heartbeat: async () => undefined,
      pause: () => () => undefined,
      commitOffsetsIfNecessary: async () => undefined,
      uncommittedOffsets: () => ({ topics: [] }),
      isRunning: () => true,
      isStale: () => this.stale,
    });
    if (consumer.running?.eachBatchAutoResolve !== false) this.resolved = last;
    if (this.resolved !== null) await consumer.commitOffsets([{ offset: (BigInt(this.resolved) + 1n).toString() }]);
  }
}

export const pointerTo = (activeCluster: string, epoch: number, more: Partial<Pointer> = {}): Pointer => ({
  version: 1,
  group: 'orders',
  activeCluster,
  mode: 'ACTIVE',
  epoch,
  term: 1,
  sagaId: null,
  bootstrapServers: ['x:1'],
  publishedAt: '2026-11-20T14:02:31Z',
  ...more,
});

/** A client of two scripted clusters that follows the pointer of a config center in memory. */
export class ScriptedStage {
  readonly server = new MemoryConfigCenterServer();
  readonly clusters = { a: new ScriptedCluster(), b: new ScriptedCluster() };
  readonly told: string[] = [];
  readonly kafka: SwitchingKafka;

  private constructor() {
    this.server.overwrite(pointerTo('a', 1));
    this.kafka = createSwitchingKafka(
      {
        group: 'orders',
        pointers: this.server.open(),
        clusters: { a: { brokers: [] }, b: { brokers: [] } },
        rejoinJitterMs: 1,
        handlerGraceMs: 200,
      },
      (name) => this.clusters[name as 'a' | 'b'],
    );
    this.kafka.on('paused', ({ pointer: p }) => this.told.push(`paused ${p.mode}`));
    this.kafka.on('resumed', ({ by }) => this.told.push(`resumed by ${by}`));
    this.kafka.on('switched', ({ to }) => this.told.push(`switched ${to}`));
  }

  static async start(): Promise<ScriptedStage> {
    const stage = new ScriptedStage();
    await vi.waitFor(() => expect(stage.kafka.current()?.epoch).toBe(1));
    return stage;
  }

  async move(pointer: Pointer): Promise<void> {
    this.server.overwrite(pointer);
    await vi.waitFor(() => expect(this.kafka.current()).toEqual(pointer));
  }

  /** The nth produce request that reached that cluster. */
  call(cluster: 'a' | 'b', n: number): Promise<Call> {
    return vi.waitFor(() => {
      const found = this.clusters[cluster].calls[n];
      if (found === undefined) throw new Error(`no call ${n} on ${cluster}`);
      return found;
    }, 3_000);
  }

  /** The nth consumer of that cluster, as soon as it runs. */
  consumerOf(cluster: 'a' | 'b', n = 0): Promise<ScriptedConsumer> {
    return vi.waitFor(() => {
      const found = this.clusters[cluster].consumers[n];
      if (found?.running === undefined || found.running === null) throw new Error(`${cluster} ${n} does not run`);
      return found;
    }, 3_000);
  }

  async sender(config: SwitchingProducerConfig = {}) {
    const producer = this.kafka.producer(config);
    await producer.connect();
    return { producer, send: (value: string) => producer.send({ topic: 't', messages: [{ value }] }) };
  }
}
