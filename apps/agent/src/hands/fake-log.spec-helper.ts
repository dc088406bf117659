import type { TopicPartition } from '#failover';
import type { LogRecord, NewRecord, OffsetEntry, RecordLog, RecordRange } from '#kafka';
import type { TailTarget } from './export-tail.hand.js';

const NO_CONFIG = new Map<string, never>();
const SLICE = 2;

/** A cluster's logs in memory, read a few records at a time. */
export class FakeLog implements RecordLog {
  /** An append lands in the leader's log, is answered by nobody in time, and is hidden until the log settles. */
  stalls = false;
  readonly topicIds = new Map<string, string>();
  readonly #logs = new Map<string, LogRecord[]>();
  readonly #hidden = new Map<string, number>();

  /** Records at these offsets; what is read of them must not be needed in full. */
  fill({ topic, partition }: TopicPartition, records: readonly LogRecord[]): void {
    this.#logs.set(`${partition}/${topic}`, [...records]);
  }

  of({ topic, partition }: TopicPartition): readonly LogRecord[] {
    return this.#logs.get(`${partition}/${topic}`) ?? [];
  }

  async *read({ topic, partition, from, to }: RecordRange): AsyncGenerator<readonly LogRecord[]> {
    const end = Math.min(to, this.#visible(`${partition}/${topic}`));
    const wanted = this.of({ topic, partition }).filter((r) => r.offset >= from && r.offset < end);
    for (let i = 0; i < wanted.length; i += SLICE) yield await Promise.resolve(wanted.slice(i, i + SLICE));
  }

  /** Here the follower is given up at once. */
  settledEnd({ topic, partition }: TopicPartition): Promise<number> {
    this.#hidden.delete(`${partition}/${topic}`);
    return Promise.resolve(this.#visible(`${partition}/${topic}`));
  }

  append(topic: string, partition: number, records: readonly NewRecord[]): Promise<void> {
    const key = `${partition}/${topic}`;
    const log = this.#logs.get(key) ?? [];
    this.#logs.set(key, log);
    const next = (log.at(-1)?.offset ?? -1) + 1;
    if (this.stalls) this.#hidden.set(key, Math.min(next, this.#hidden.get(key) ?? next));
    log.push(...records.map((r, i) => ({ ...r, offset: next + i, appendTime: false })));
    return this.stalls ? Promise.reject(new Error('not acknowledged in time')) : Promise.resolve();
  }

  close(): void {}

  get hands(): TailTarget['hands'] {
    return {
      offsets: (topics, at) => Promise.resolve(this.#offsets(topics, at)),
      layout: () =>
        Promise.resolve({ clusterId: null, brokers: [{ id: 1, address: 'b:9092' }], topics: this.#layouts() }),
      topicConfigs: () => Promise.resolve(NO_CONFIG),
      createTopic: ({ name, assignment }) => {
        const partitions = 'partitions' in assignment ? assignment.partitions : assignment.length;
        for (let partition = 0; partition < partitions; partition += 1) this.fill({ topic: name, partition }, []);
        return Promise.resolve(true);
      },
    };
  }

  #layouts(): Awaited<ReturnType<TailTarget['hands']['layout']>>['topics'] {
    const layouts = [...this.#places()].map(({ topic }) => {
      const partitions = [...this.#places()].filter((p) => p.topic === topic);
      const id = this.topicIds.get(topic);
      return {
        name: topic,
        ...(id === undefined ? {} : { id }),
        ...{ internal: false, errorCode: 0 },
        partitions: partitions.map(({ partition }) => ({ partition, leader: 1, replicas: [1], isr: [1] })),
      };
    });
    return new Map(layouts.map((t) => [t.name, t]));
  }

  #offsets(topics: readonly string[], at: 'end' | 'start'): readonly OffsetEntry[] {
    const places = [...this.#places()].filter((p) => topics.includes(p.topic));
    return places.map((p) => ({
      ...p,
      offset: at === 'start' ? (this.of(p)[0]?.offset ?? 0) : this.#visible(`${p.partition}/${p.topic}`),
    }));
  }

  *#places(): Generator<TopicPartition> {
    for (const key of this.#logs.keys()) {
      const [partition, topic] = key.split('/');
      yield { topic: topic ?? '', partition: Number(partition) };
    }
  }

  #visible(key: string): number {
    return this.#hidden.get(key) ?? (this.#logs.get(key)?.at(-1)?.offset ?? -1) + 1;
  }
}
