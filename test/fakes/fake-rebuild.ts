import type { RebuildCommand, RebuildOutput } from '#failover';

/** As much of a world as a rebuild needs. */
type Around = Readonly<{
  answers(cluster: string): boolean;
  cluster(name: string): { ends: Map<string, number>; groups: Map<string, Map<string, number>> };
  note(kind: 'topic-deleted' | 'topic-made', subject: string, term: number): void;
}>;

/** Topics and their lives: an id is of one life. Each question does one thing, so that a leader can die between any two. */
export class FakeRebuild {
  /** `cluster/topic` → how often it was made; absent: it is not there. */
  readonly lives = new Map<string, number>([
    ['a/orders', 1],
    ['b/orders', 1],
  ]);
  /** What only a person can put right. */
  readonly obstacles: string[] = [];

  constructor(private readonly world: Around) {}

  run(body: RebuildCommand, term: number): RebuildOutput | null {
    return body.kind === 'describe_topics' ? this.describe(body.cluster) : this.remake(body, term);
  }

  private describe(cluster: string): RebuildOutput | null {
    if (!this.world.answers(cluster)) return null;
    const topics = [...this.lives]
      .filter(([key]) => key.startsWith(`${cluster}/`))
      .map(([key, life]) => ({ topic: key.slice(cluster.length + 1), id: `${key}#${life}`, partitions: 2 }));
    return { kind: 'described_topics', topics };
  }

  private remake(body: Extract<RebuildCommand, { kind: 'remake_topics' }>, term: number): RebuildOutput | null {
    const { like, to, topics, consumerGroups } = body;
    if (!this.world.answers(to) || !this.world.answers(like)) return null;
    const more =
      this.obstacles.length > 0 || topics.some((t) => this.act(to, t, term)) || this.forgot(to, consumerGroups);
    const partitions = topics.flatMap(({ topic, id }) => {
      const life = this.lives.get(`${to}/${topic}`);
      return life === undefined || `${to}/${topic}#${life}` === id
        ? []
        : [0, 1].map((partition) => ({ topic, partition }));
    });
    const progress = { finished: !more, done: partitions.length / 2, total: topics.length };
    return { kind: 'topics_remade', progress, obstacles: this.obstacles, partitions };
  }

  /** The next thing to do to one topic; false: nothing is left. */
  private act(to: string, { topic, id }: Readonly<{ topic: string; id: string | null }>, term: number): boolean {
    const key = `${to}/${topic}`;
    const life = this.lives.get(key);
    const { ends } = this.world.cluster(to);
    if (life !== undefined && `${key}#${life}` === id) {
      this.lives.delete(key);
      for (const at of [...ends.keys()]) if (at.startsWith(`${topic}/`)) ends.delete(at);
      this.world.note('topic-deleted', key, term);
      return true;
    }
    if (life !== undefined) return false;
    this.lives.set(key, Number(id?.split('#')[1] ?? 0) + 1);
    for (const partition of [0, 1]) ends.set(`${topic}/${partition}`, 0);
    this.world.note('topic-made', key, term);
    return true;
  }

  private forgot(to: string, groups: readonly string[]): boolean {
    const held = this.world.cluster(to).groups;
    const found = groups.find((group) => (held.get(group)?.size ?? 0) > 0);
    if (found === undefined) return false;
    held.delete(found);
    return true;
  }
}
