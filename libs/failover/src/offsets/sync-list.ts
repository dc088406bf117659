/**
 * Pairs (upstream U, downstream D) of one generation, both ascending, in typed arrays: 8 bytes a pair, relative to the
 * block's first one. A position is a plain number; a larger position is a later pair.
 */

type Block = { readonly baseUp: number; readonly baseDown: number; pairs: Uint32Array; count: number };

const BLOCK_PAIRS = 512;
const FIRST_PAIRS = 4;
const POSITION_STEP = 1024; // positions of a block; more than BLOCK_PAIRS
const RELATIVE_LIMIT = 2 ** 32;

/** No such pair. */
export const NOWHERE = -1;

export class SyncList {
  #blocks: Block[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): number {
    return this.#length === 0 ? NOWHERE : 0;
  }

  get last(): number {
    const block = this.#blocks.at(-1);
    return block === undefined ? NOWHERE : (this.#blocks.length - 1) * POSITION_STEP + block.count - 1;
  }

  upstream(position: number): number {
    const block = this.#block(position);
    return block.baseUp + (block.pairs[2 * (position % POSITION_STEP)] ?? 0);
  }

  downstream(position: number): number {
    const block = this.#block(position);
    return block.baseDown + (block.pairs[2 * (position % POSITION_STEP) + 1] ?? 0);
  }

  next(position: number): number {
    if (position === NOWHERE || position >= this.last) return NOWHERE;
    const inBlock = (position % POSITION_STEP) + 1 < this.#block(position).count;
    return inBlock ? position + 1 : (Math.floor(position / POSITION_STEP) + 1) * POSITION_STEP;
  }

  previous(position: number): number {
    if (position <= 0) return NOWHERE;
    if (position % POSITION_STEP > 0) return position - 1;
    const before = Math.floor(position / POSITION_STEP) - 1;
    return before * POSITION_STEP + (this.#blocks[before]?.count ?? 1) - 1;
  }

  append(upstream: number, downstream: number): void {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.count === BLOCK_PAIRS || !fits(block, upstream, downstream)) {
      if (block !== undefined && block.count * 2 < block.pairs.length)
        block.pairs = block.pairs.slice(0, block.count * 2);
      block = { baseUp: upstream, baseDown: downstream, pairs: new Uint32Array(FIRST_PAIRS * 2), count: 0 };
      this.#blocks.push(block);
    }
    if (block.count * 2 === block.pairs.length) block.pairs = grown(block.pairs);
    block.pairs[2 * block.count] = upstream - block.baseUp;
    block.pairs[2 * block.count + 1] = downstream - block.baseDown;
    block.count += 1;
    this.#length += 1;
  }

  removeLast(): void {
    const block = this.#blocks.at(-1);
    if (block === undefined) return;
    block.count -= 1;
    this.#length -= 1;
    if (block.count === 0) this.#blocks.pop();
  }

  /** The last pair with U at most `upstream`. */
  floorUpstream(upstream: number): number {
    return this.#floor(upstream, 0);
  }

  /** The last pair with D at most `downstream`. */
  floorDownstream(downstream: number): number {
    return this.#floor(downstream, 1);
  }

  /** Every pair, oldest first. */
  forEach(visit: (upstream: number, downstream: number) => void): void {
    for (const block of this.#blocks) {
      for (let i = 0; i < block.count; i += 1) {
        visit(block.baseUp + (block.pairs[2 * i] ?? 0), block.baseDown + (block.pairs[2 * i + 1] ?? 0));
      }
    }
  }

  /** Leaves out every second pair among the first `share` of them, never the first or the last: it only makes answers earlier. */
  thinned(share: number): SyncList {
    const thin = new SyncList();
    const until = Math.floor(this.#length * share);
    let i = 0;
    this.forEach((upstream, downstream) => {
      const dropped = i % 2 === 1 && i < until && i < this.#length - 1;
      if (!dropped) thin.append(upstream, downstream);
      i += 1;
    });
    return thin;
  }

  #block(position: number): Block {
    const block = this.#blocks[Math.floor(position / POSITION_STEP)];
    if (block === undefined) throw new RangeError(`no pair at ${position}`);
    return block;
  }

  #floor(value: number, axis: 0 | 1): number {
    const at = this.#floorBlock(value, axis);
    const block = this.#blocks[at];
    if (block === undefined) return NOWHERE;
    const wanted = value - (axis === 0 ? block.baseUp : block.baseDown);
    let low = 0;
    let high = block.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((block.pairs[2 * middle + axis] ?? 0) <= wanted) low = middle;
      else high = middle - 1;
    }
    return at * POSITION_STEP + low;
  }

  #floorBlock(value: number, axis: 0 | 1): number {
    let low = -1;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const block = this.#blocks[middle];
      if (block !== undefined && (axis === 0 ? block.baseUp : block.baseDown) <= value) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

const fits = (block: Block, upstream: number, downstream: number): boolean =>
  upstream - block.baseUp < RELATIVE_LIMIT && downstream - block.baseDown < RELATIVE_LIMIT;

function grown(pairs: Uint32Array): Uint32Array {
  const larger = new Uint32Array(Math.min(pairs.length * 2, BLOCK_PAIRS * 2));
  larger.set(pairs);
  return larger;
}
