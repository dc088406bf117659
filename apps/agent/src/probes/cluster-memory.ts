import type { Address, BrokerNode, ClusterLayout, PartitionSet } from '#kafka';

/** What was last known of a cluster's brokers and leaders. It outlives silence: the next round is sent by it. */
export class ClusterMemory {
  readonly #bootstrap: readonly Address[];
  readonly #addresses = new Map<number, Address>();
  #layout: ClusterLayout | null = null;
  #answered: ReadonlySet<Address> = new Set();
  #turn = 0;

  constructor(bootstrap: readonly Address[]) {
    this.#bootstrap = bootstrap;
  }

  get layout(): ClusterLayout | null {
    return this.#layout;
  }

  /**
   * Takes over a fresh layout. A broker that the metadata no longer names is still expected as long as a partition
   * has a replica on it: dead brokers leave the list after their session, decommissioned ones hold no replica.
   */
  adopt(layout: ClusterLayout): void {
    this.#layout = layout;
    const wanted = new Set(layout.brokers.map((b) => b.id));
    for (const topic of layout.topics.values()) {
      for (const p of topic.partitions) for (const id of p.replicas) wanted.add(id);
    }
    for (const id of this.#addresses.keys()) if (!wanted.has(id)) this.#addresses.delete(id);
    for (const b of layout.brokers) this.#addresses.set(b.id, b.address);
    this.#missing = [...wanted].filter((id) => !this.#addresses.has(id)).length;
  }
  #missing = 0;

  /** Brokers that ought to be there, whether they answer or not. */
  get expectedBrokers(): number {
    const known = this.#addresses.size + this.#missing;
    return known > 0 ? known : this.#bootstrap.length;
  }

  get brokers(): readonly BrokerNode[] {
    return [...this.#addresses].map(([id, address]) => ({ id, address })).sort((x, y) => x.id - y.id);
  }

  /** Bootstrap addresses that are no known broker's address: asked too, for brokers may have moved. */
  get strangers(): readonly Address[] {
    const known = new Set(this.#addresses.values());
    return this.#bootstrap.filter((a) => !known.has(a));
  }

  address(brokerId: number): Address | null {
    return this.#addresses.get(brokerId) ?? null;
  }

  allAddresses(): ReadonlySet<Address> {
    return new Set([...this.#addresses.values(), ...this.#bootstrap]);
  }

  noteAnswers(answered: ReadonlySet<Address>): void {
    this.#answered = answered;
    this.#turn += 1;
  }

  /** Whom to ask a question that any broker can answer: those that answered last time first, in turn. */
  candidates(): readonly Address[] {
    const all = [...this.allAddresses()];
    const good = all.filter((a) => this.#answered.has(a));
    const rest = all.filter((a) => !this.#answered.has(a));
    return [...turned(good, this.#turn), ...turned(rest, this.#turn)];
  }

  /** Per leader the partitions of the wanted topics; partitions without a leader are in nobody's part. */
  partsByLeader(wanted: (topic: string) => boolean): ReadonlyMap<number, PartitionSet> {
    const parts = new Map<number, Map<string, number[]>>();
    for (const topic of this.#layout?.topics.values() ?? []) {
      if (!wanted(topic.name)) continue;
      for (const p of topic.partitions) {
        if (p.leader < 0) continue;
        let part = parts.get(p.leader);
        if (!part) parts.set(p.leader, (part = new Map()));
        const list = part.get(topic.name);
        if (list) list.push(p.partition);
        else part.set(topic.name, [p.partition]);
      }
    }
    return parts;
  }
}

const turned = <T>(list: readonly T[], turn: number): readonly T[] => {
  if (list.length < 2) return list;
  const at = turn % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
};
