import { PartitionGapWatch, remoteTopic, type FoundGap, type SilentGap } from '#failover';
import type { Ms } from '#health';
import { ConnectError, KafkaCallError, type ClusterHands, type ClusterLayout, type ConnectClient } from '#kafka';
import type { FlowSetup } from './flow-setup.js';
import type { SyncEntry } from './sync-book.js';

const MAX_TOLD = 100; // in a report

export type KeptGap = Readonly<FoundGap & { topic: string; partition: number }>;
export type GapSides = Readonly<{
  source: ClusterHands;
  target: ClusterHands;
  worker: Pick<ConnectClient, 'offsets'> | null;
}>;
export type GapGround = Readonly<{
  setup: FlowSetup;
  connector: string;
  source: ClusterLayout;
  target: ClusterLayout;
  topics: readonly string[]; // of the source, that were ever copied
}>;

/** Looks, now and then, for records that one flow's copy lacks, or holds twice. The rules are `libs/failover`'s. */
export class GapLooks {
  readonly #sides: GapSides;
  readonly #watches = new Map<string, PartitionGapWatch>();

  constructor(sides: GapSides) {
    this.#sides = sides;
  }

  note({ topic, partition, upstream, downstream }: SyncEntry): void {
    this.#watch(topic, partition).note(upstream, downstream);
  }

  split(): void {
    for (const watch of this.#watches.values()) watch.split();
  }

  settle(): void {
    for (const watch of this.#watches.values()) watch.settle();
  }

  /** Asks both clusters and the worker. What does not answer puts the look off: nothing is concluded from silence. */
  async look(ground: GapGround, deadlineMs: Ms): Promise<void> {
    const { setup, source, target } = ground;
    const copyOf = (topic: string): string => remoteTopic(setup.naming, setup.sourceAlias, topic);
    const topics = ground.topics.filter((t) => source.topics.has(t) && target.topics.has(copyOf(t)));
    if (topics.length === 0) return;
    try {
      const [starts, targetStarts, positions] = await Promise.all([
        this.#sides.source.offsets(topics, 'start', deadlineMs),
        this.#sides.target.offsets(topics.map(copyOf), 'start', deadlineMs),
        this.#sides.worker?.offsets(ground.connector, deadlineMs) ?? null,
      ]);
      if (positions === null) return;
      const copied = new Map(
        positions
          .filter((p) => p.cluster === setup.sourceAlias && p.offset !== null)
          .map((p) => [keyOf(p.topic, p.partition), (p.offset ?? 0) + 1]),
      );
      const copyStarts = new Map(targetStarts.map((s) => [keyOf(s.topic, s.partition), s.offset]));
      for (const { topic, partition, offset: start } of starts) {
        this.#watch(topic, partition).look(
          {
            topicId: source.topics.get(topic)?.id ?? null,
            start,
            copied: copied.get(keyOf(topic, partition)) ?? null,
            targetStart: copyStarts.get(keyOf(copyOf(topic), partition)) ?? null,
          },
          Date.now(),
        );
      }
    } catch (error) {
      if (!(error instanceof KafkaCallError) && !(error instanceof ConnectError)) throw error;
    }
  }

  /** The copy was made anew: what was known speaks of a log that is gone. */
  forget(topic: string): void {
    for (const key of this.#watches.keys()) if (placeOf(key).topic === topic) this.#watches.delete(key);
  }

  kept(): readonly KeptGap[] {
    return [...this.#watches].flatMap(([key, watch]) => watch.found.map((gap) => ({ ...gap, ...placeOf(key) })));
  }

  restore(gaps: readonly KeptGap[]): void {
    for (const { topic, partition } of gaps) {
      const own = gaps.filter((g) => g.topic === topic && g.partition === partition);
      this.#watches.set(keyOf(topic, partition), new PartitionGapWatch(own));
    }
  }

  /** Newest first. */
  told(): readonly SilentGap[] {
    const nowWallMs = Date.now();
    return this.kept()
      .toSorted((x, y) => y.foundAtWallMs - x.foundAtWallMs)
      .slice(0, MAX_TOLD)
      .map(({ topic, partition, kind, records, downstream, foundAtWallMs }) => ({
        ...{ topic, partition, kind, records, downstream },
        ageMs: Math.max(0, nowWallMs - foundAtWallMs),
      }));
  }

  #watch(topic: string, partition: number): PartitionGapWatch {
    const key = keyOf(topic, partition);
    let watch = this.#watches.get(key);
    if (watch === undefined) this.#watches.set(key, (watch = new PartitionGapWatch()));
    return watch;
  }
}

const keyOf = (topic: string, partition: number): string => `${partition}/${topic}`;
const placeOf = (key: string): Readonly<{ topic: string; partition: number }> => {
  const at = key.indexOf('/');
  return { topic: key.slice(at + 1), partition: Number(key.slice(0, at)) };
};
