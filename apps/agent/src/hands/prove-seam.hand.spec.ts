import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { LogRecord, RecordLog, RecordRange } from '#kafka';
import { proveSeamWork, type TailSide } from './prove-seam.hand.js';

const PARTITIONS = 3;
const SLICE = 4_096;
const VALUE_BYTES = 1_024;
/** The copy ends far behind N, so that only the widest look finds it. */
const AT = { n: 10, s: 35_000, end: 40_000 };
const WIDE = 20_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Made while it is read, and forgotten with its slice unless the reader keeps it. */
class LongLog implements RecordLog {
  mostWide = 0;
  mostKept = 0; // slices whose value is still held
  #wide = 0;
  #slices: WeakRef<Buffer>[] = [];

  constructor(private readonly keyOf: (offset: number) => Buffer) {}

  async *read({ from, to }: RecordRange): AsyncGenerator<readonly LogRecord[]> {
    const wide = to - from > WIDE ? 1 : 0;
    this.#wide += wide;
    this.mostWide = Math.max(this.mostWide, this.#wide);
    for (let next = from; next < to; next += SLICE) {
      yield await Promise.resolve(this.#slice(next, Math.min(SLICE, to - next)));
    }
    if (to - from > SLICE) await this.#count();
    this.#wide -= wide;
  }

  #slice(from: number, length: number): readonly LogRecord[] {
    const value = Buffer.alloc(VALUE_BYTES, 7);
    this.#slices.push(new WeakRef(value));
    return Array.from({ length }, (_, i) => ({
      ...{ offset: from + i, timestampMs: from + i, appendTime: false, headers: [] },
      ...{ key: this.keyOf(from + i), value },
    }));
  }

  /** In a later turn: a WeakRef holds its object until the end of the one that made it. */
  async #count(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    this.#slices = this.#slices.filter((value) => value.deref() !== undefined);
    this.mostKept = Math.max(this.mostKept, this.#slices.length);
  }

  append = (): Promise<void> => Promise.reject(new Error('only read here'));
  settledEnd = (): Promise<number> => Promise.reject(new Error('only read here'));
  close(): void {}
}

async function proved(partitions: number, keyOf: (offset: number) => Buffer) {
  const [source, copy] = [new LongLog(keyOf), new LongLog(keyOf)];
  const sideOf = (log: LongLog): TailSide => ({ log, hands: { offsets: () => Promise.resolve([]) } });
  const positions = Array.from({ length: partitions }, (_, partition) => ({ topic: 'orders', partition, ...AT }));
  const body = { kind: 'prove_seam', from: 'a', to: 'b', records: 16, positions } as const;
  const work = proveSeamWork(sideOf(source), sideOf(copy), body);
  await work.run(AbortSignal.timeout(25_000), () => undefined);
  return { source, told: work.progress() };
}
const found = { seam: { verdict: 'proved', lastCopied: AT.s - 1, compared: 16 } };

describe('the proof of seams far behind N, on logs of large values', () => {
  it('holds no value longer than its slice, and looks widest at one partition at a time', async () => {
    const { source, told } = await proved(PARTITIONS, (offset) => Buffer.from(`k${offset}`));
    expect(told).toMatchObject({ findings: [found, found, found] });
    expect(source.mostWide).toBe(1);
    expect(source.mostKept).toBeLessThanOrEqual(2 * PARTITIONS);
  });

  it('tells long keys apart that differ in their last byte', async () => {
    const long = (offset: number): Buffer => Buffer.concat([Buffer.alloc(1_000), Buffer.from([offset % 256])]);
    expect((await proved(1, long)).told).toMatchObject({ findings: [found] });
  });
});
