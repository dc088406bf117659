import type { Ms } from '#health';
import type { ClusterLayout } from '#kafka';

const UNKNOWN_TOPIC_OR_PARTITION = 3;

/**
 * What a cluster says of its topics, and when it was asked. A list of all topics leaves out those that the agent may not
 * see (Describe), so a topic that it lacks is gone only once the cluster, asked by name, does not know it.
 */
export class KnownTopics {
  #partitions: ReadonlyMap<string, number> | null = null;
  #listedAtMs: Ms = -Infinity;
  readonly #goneAtMs = new Map<string, Ms>();

  /** A list of all topics. One that came with an error says nothing of its partitions. */
  list(layout: ClusterLayout, askedAtMs: Ms): void {
    const topics = [...layout.topics.values()];
    this.#partitions = new Map(topics.map((t) => [t.name, t.errorCode === 0 ? t.partitions.length : Infinity]));
    this.#listedAtMs = askedAtMs;
    for (const name of this.#goneAtMs.keys()) if (layout.topics.has(name)) this.#goneAtMs.delete(name);
  }

  /** Of these names those that the last list lacks; none before there was a list. */
  missing(names: Iterable<string>): readonly string[] {
    const known = this.#partitions;
    return known === null ? [] : [...new Set(names)].filter((name) => !known.has(name));
  }

  /** The answer to a question by name. */
  named(layout: ClusterLayout, askedAtMs: Ms): void {
    for (const { name, errorCode } of layout.topics.values()) {
      if (errorCode === UNKNOWN_TOPIC_OR_PARTITION) this.#goneAtMs.set(name, askedAtMs);
      else this.#goneAtMs.delete(name); // it is there, or we may not see it
    }
  }

  /** As many as the last list gives the topic; 0: it lacks it; infinite: nothing is known of them. */
  partitions(topic: string): number {
    return this.#partitions === null ? Infinity : (this.#partitions.get(topic) ?? 0);
  }

  /** Whether the cluster, asked after `sinceMs`, said that there is no such partition. Silence denies nothing. */
  denies(topic: string, partition: number, sinceMs: Ms): boolean {
    const listed = this.#partitions?.get(topic);
    if (listed !== undefined) return partition >= listed && this.#listedAtMs > sinceMs;
    return (this.#goneAtMs.get(topic) ?? -Infinity) > sinceMs;
  }
}
