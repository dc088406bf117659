import type { Ms } from '#health';

type Column = { values: Float64Array; atMs: Float64Array };

/**
 * One number per partition with the instant at which it was read. Typed arrays, because a cluster may have ten thousand
 * partitions and a round comes every two seconds. A value is never forgotten by silence: it only gets older.
 */
export class OffsetTable {
  readonly #columns = new Map<string, Column>();

  /** @returns the value before, null if there was none. */
  set(topic: string, partition: number, value: number, atMs: Ms): number | null {
    const column = this.#columnFor(topic, partition + 1);
    const before = column.values[partition] ?? Number.NaN;
    column.values[partition] = value;
    column.atMs[partition] = atMs;
    return Number.isNaN(before) ? null : before;
  }

  value(topic: string, partition: number): number | null {
    const value = this.#columns.get(topic)?.values[partition] ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  }

  atMs(topic: string, partition: number): Ms | null {
    return this.value(topic, partition) === null ? null : (this.#columns.get(topic)?.atMs[partition] ?? null);
  }

  topics(): IterableIterator<string> {
    return this.#columns.keys();
  }

  partitions(topic: string): number {
    return this.#columns.get(topic)?.values.length ?? 0;
  }

  /** Cuts each topic to as many partitions as it is said to have; 0 drops it. */
  trim(partitions: (topic: string) => number): void {
    for (const [topic, { values, atMs }] of this.#columns) {
      const size = partitions(topic);
      if (size === 0) this.#columns.delete(topic);
      else if (size < values.length) {
        this.#columns.set(topic, { values: values.slice(0, size), atMs: atMs.slice(0, size) });
      }
    }
  }

  #columnFor(topic: string, size: number): Column {
    const column = this.#columns.get(topic);
    if (column && column.values.length >= size) return column;
    const grown: Column = { values: new Float64Array(size).fill(Number.NaN), atMs: new Float64Array(size) };
    if (column) {
      grown.values.set(column.values);
      grown.atMs.set(column.atMs);
    }
    this.#columns.set(topic, grown);
    return grown;
  }
}
