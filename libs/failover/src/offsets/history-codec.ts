import {
  type Break,
  DEFAULT_HISTORY_LIMITS,
  type Generation,
  type HistoryLimits,
  SyncHistory,
} from './sync-history.js';
import { SyncList } from './sync-list.js';

/** One history as bytes (big-endian, 16 bytes a pair) and back: what an agent keeps on its disk. */

const HEAD = 12; // flags, generations, breaks
const GENERATION_HEAD = 5; // dense, pairs
const PAIR = 16;
const SPLIT = 1;
const RENEW = 2;

export function encodeHistory(history: SyncHistory): Uint8Array {
  const { generations, breaks, splitNext, renewNext } = history.state;
  const size =
    HEAD + breaks.length * PAIR + generations.reduce((n, g) => n + GENERATION_HEAD + g.list.length * PAIR, 0);
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, (splitNext ? SPLIT : 0) + (renewNext ? RENEW : 0));
  view.setUint32(4, generations.length);
  view.setUint32(8, breaks.length);
  let at = HEAD;
  const put = (a: number, b: number): void => {
    view.setFloat64(at, a);
    view.setFloat64(at + 8, b);
    at += PAIR;
  };
  for (const b of breaks) put(b.downstream, b.bound);
  for (const { list, dense } of generations) {
    view.setUint8(at, dense ? 1 : 0);
    view.setUint32(at + 1, list.length);
    at += GENERATION_HEAD;
    list.forEach(put);
  }
  return new Uint8Array(view.buffer);
}

/** @throws {RangeError} when the bytes are cut; whoever stores them guards them with a checksum. */
export function decodeHistory(bytes: Uint8Array, limits: HistoryLimits = DEFAULT_HISTORY_LIMITS): SyncHistory {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint32(0);
  const generationCount = view.getUint32(4);
  const breakCount = view.getUint32(8);
  let at = HEAD;
  const breaks: Break[] = [];
  for (let i = 0; i < breakCount; i += 1) {
    breaks.push({ downstream: view.getFloat64(at), bound: view.getFloat64(at + 8) });
    at += PAIR;
  }
  const generations: Generation[] = [];
  for (let i = 0; i < generationCount; i += 1) {
    const dense = view.getUint8(at) === 1;
    const pairs = view.getUint32(at + 1);
    at += GENERATION_HEAD;
    const list = new SyncList();
    for (let p = 0; p < pairs; p += 1) {
      list.append(view.getFloat64(at), view.getFloat64(at + 8));
      at += PAIR;
    }
    generations.push({ list, dense });
  }
  return new SyncHistory(limits, {
    generations,
    breaks,
    splitNext: (flags & SPLIT) !== 0,
    renewNext: (flags & RENEW) !== 0,
  });
}
