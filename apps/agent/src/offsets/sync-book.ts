import { decodeHistory, encodeHistory, SyncHistory } from '#failover';

/** Pairs of one flow, at most: 8 to 16 bytes each. Beyond it every history is thinned: answers get earlier, never wrong. */
const MAX_PAIRS = 2_000_000;

export type SyncEntry = Readonly<{ topic: string; partition: number; upstream: number; downstream: number }>;
export type StoredHistory = Readonly<{ topic: string; partition: number; bytes: Uint8Array }>;

/** What is known of one flow's offset-syncs: a history per partition of the source, and how far the syncs topic was read. */
export class SyncBook {
  readonly #histories = new Map<string, SyncHistory[]>(); // source topic → by partition, with holes
  readonly #begunAtLook = new Map<string, number[]>();
  readonly #touched = new Set<SyncHistory>();
  #count = 0;
  cursor = 0; // next offset of the syncs topic
  noted = 0;

  get pairs(): number {
    let pairs = 0;
    for (const list of this.#histories.values()) for (const history of Object.values(list)) pairs += history.size;
    return pairs;
  }

  topics(): readonly string[] {
    return [...this.#histories.keys()];
  }

  history(topic: string, partition: number): SyncHistory | null {
    return this.#histories.get(topic)?.[partition] ?? null;
  }

  note({ topic, partition, upstream, downstream }: SyncEntry): void {
    const history = this.#ensure(topic, partition);
    history.note(upstream, downstream);
    this.#touched.add(history);
    this.noted += 1;
  }

  /** Syncs may have been missed here: nothing is counted across. */
  split(): void {
    this.#all((history) => history.split());
  }

  /** Ends a reading. `coarse`: what was read in it may have holes that do not show. */
  endBatch(coarse: boolean): void {
    if (coarse) {
      for (const history of this.#touched) {
        history.distrust();
        history.split();
      }
    }
    this.#touched.clear();
    this.#all((history) => history.settle());
    if (this.pairs > MAX_PAIRS) this.#all((history) => history.shrink(Math.floor(MAX_PAIRS / 2 / this.#count)));
  }

  /** The source's topic has another id than at the last look. */
  sourceRenewed(topic: string): void {
    const begun = this.#begunAtLook.get(topic) ?? [];
    for (const [partition, history] of (this.#histories.get(topic) ?? []).entries()) {
      history?.renewed(begun[partition] ?? 0);
    }
  }

  forget(topic: string): void {
    for (const history of Object.values(this.#histories.get(topic) ?? [])) history.forget();
  }

  /** Remembers where every history stands, for {@link sourceRenewed}. */
  look(): void {
    for (const [topic, list] of this.#histories) {
      this.#begunAtLook.set(
        topic,
        Array.from(list, (history: SyncHistory | undefined) => history?.begun ?? 0),
      );
    }
  }

  clear(): void {
    this.#histories.clear();
    this.#begunAtLook.clear();
    this.#touched.clear();
    this.#count = 0;
    this.cursor = 0;
    this.noted = 0;
  }

  *stored(): Generator<StoredHistory> {
    for (const [topic, list] of this.#histories) {
      for (const [partition, history] of list.entries()) {
        if (history !== undefined) yield { topic, partition, bytes: encodeHistory(history) };
      }
    }
  }

  /** @throws {RangeError} when the bytes are no history. */
  restore({ topic, partition, bytes }: StoredHistory): void {
    this.#put(topic, partition, decodeHistory(bytes));
  }

  #all(visit: (history: SyncHistory) => void): void {
    for (const list of this.#histories.values()) for (const history of Object.values(list)) visit(history);
  }

  #ensure(topic: string, partition: number): SyncHistory {
    return this.history(topic, partition) ?? this.#put(topic, partition, new SyncHistory());
  }

  #put(topic: string, partition: number, history: SyncHistory): SyncHistory {
    let list = this.#histories.get(topic);
    if (list === undefined) this.#histories.set(topic, (list = []));
    if (list[partition] === undefined) this.#count += 1;
    list[partition] = history;
    return history;
  }
}
