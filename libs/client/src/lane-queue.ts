import type { Message } from 'kafkajs';
import type { SendItem } from './send-item.js';

/** A send, or those of its messages that went to one partition. */
export type Piece = Readonly<{ item: SendItem; messages: readonly Message[] }>;

type PartitionOf = (m: Message) => number | undefined;

/** Requests of one partition, in order; each goes alone until it is answered. */
type Lot = readonly (readonly Piece[])[];

// Together below any sensible max.message.bytes: joining sends must not make a request too large.
const JOIN_MAX_BYTES = 256 * 1024;
const JOIN_MAX_ITEMS = 500;

/**
 * What a topic has still to send, in the order of the calls. Waiting sends are joined into one request. kafkajs fails a
 * request as a whole for one partition of it and forgets which others took their part, so what failed together is
 * divided by partition before it is sent again: else one bad partition has the others write their records again and
 * again. The extent within each partition stays as it was, for that is how the broker of an idempotent producer
 * recognises what it has already.
 */
export class LaneQueue {
  private waiting: SendItem[] = [];
  private readonly taken = new Set<SendItem>(); // of the request under way and of `lots`
  private lots: readonly Lot[] = []; // each of another partition
  private rest: Lot | null = null; // of the lot whose head is under way; null: what is under way is new

  add(item: SendItem): void {
    this.waiting.push(item);
  }

  /** A record whose end nobody knows is among them. */
  get uncertain(): boolean {
    return this.waiting.some((i) => i.maybeWritten) || [...this.taken].some((i) => i.maybeWritten);
  }

  get empty(): boolean {
    return this.taken.size === 0 && this.waiting.length === 0;
  }

  /** Something failed and has not been answered since. */
  get repeats(): boolean {
    return this.taken.size > 0;
  }

  repeated(item: SendItem): boolean {
    return this.taken.has(item);
  }

  /**
   * The next request, empty if there is none.
   * @param known only what may lie on the cluster already
   */
  take(known: boolean): readonly Piece[] {
    const lot = this.lots.find(([head]) => !known || head?.some(({ item }) => item.maybeWritten));
    if (lot !== undefined) {
      this.lots = this.lots.filter((l) => l !== lot);
      this.rest = lot.slice(1);
      return lot[0] ?? [];
    }
    if (this.lots.length > 0) return []; // may be of the same partition as what waits
    this.rest = null;
    const items = this.join(known);
    for (const item of items) this.taken.add(item);
    return items.map((item) => ({ item, messages: item.messages }));
  }

  /** The request under way was answered: what is left of its lot is next. */
  answered(): void {
    if (this.rest !== null && this.rest.length > 0) this.lots = [this.rest, ...this.lots];
    this.rest = null;
  }

  /** The request under way failed: its pieces are sent again, behind the other partitions'. */
  repeat(pieces: readonly Piece[], partitionOf: PartitionOf): void {
    const requests = byPartition(pieces, partitionOf);
    const lots = this.rest === null ? requests.map((r) => [r]) : [[...requests, ...this.rest]];
    this.lots = [...this.lots, ...lots].filter((lot) => lot.length > 0);
    this.rest = null;
  }

  /** Each send in a request of its own, to find the one that is refused. */
  split(items: readonly SendItem[]): void {
    const suspect = new Set(items);
    this.lots = this.lots.map((lot) =>
      lot.flatMap((request) => (request.some((p) => suspect.has(p.item)) ? request.map((p) => [p]) : [request])),
    );
  }

  /** What was taken is new again, in the order of the calls: another cluster has none of it. */
  restart(): void {
    for (const item of this.taken) {
      item.unanswered = item.messages.length;
      item.metadata = [];
    }
    this.waiting = [...this.taken, ...this.waiting];
    this.taken.clear();
    this.lots = [];
    this.rest = null;
  }

  remove(item: SendItem): void {
    const at = this.taken.has(item) ? -1 : this.waiting.indexOf(item);
    if (at >= 0) this.waiting.splice(at, 1);
    if (!this.taken.delete(item)) return;
    const without = (lot: Lot): Lot =>
      lot.map((request) => request.filter((p) => p.item !== item)).filter((request) => request.length > 0);
    this.lots = this.lots.map(without).filter((lot) => lot.length > 0);
    if (this.rest !== null) this.rest = without(this.rest);
  }

  private join(known: boolean): readonly SendItem[] {
    const head = this.waiting[0];
    if (head === undefined) return [];
    let [count, bytes] = [0, 0];
    for (const item of this.waiting) {
      if (known && !item.maybeWritten) break; // these stand first: they went out before the others came
      const alike =
        item.record.acks === head.record.acks &&
        item.record.timeout === head.record.timeout &&
        item.record.compression === head.record.compression;
      if (count > 0 && (!alike || count >= JOIN_MAX_ITEMS || bytes + item.bytes > JOIN_MAX_BYTES)) break;
      count++;
      bytes += item.bytes;
    }
    return this.waiting.splice(0, count);
  }
}

/** In the order of first appearance. Messages that never reached the partitioner stay together. */
function byPartition(pieces: readonly Piece[], partitionOf: PartitionOf): Piece[][] {
  const requests = new Map<number | undefined, Map<SendItem, Message[]>>();
  for (const { item, messages } of pieces) {
    for (const m of messages) {
      const partition = partitionOf(m);
      const request = requests.get(partition) ?? new Map<SendItem, Message[]>();
      requests.set(partition, request);
      const part = request.get(item) ?? [];
      request.set(item, part);
      part.push(m);
    }
  }
  return [...requests.values()].map((r) => [...r].map(([item, messages]) => ({ item, messages })));
}
