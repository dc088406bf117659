import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { offeredChoices, tailRanges } from './choices.js';
import { proveSeam, type SeamFinding, type SeamInput, type SeamRecord } from './seam.js';

const record = (offset: number, id: number): SeamRecord => ({
  offset,
  timestampMs: 1_000 + id,
  key: id % 3 === 0 ? null : `k${id % 5}`,
  crc: id * 7,
});
/** Ids of a's records, side by side from offset 0; b's as they were appended. */
const at = (
  a: readonly number[],
  b: readonly number[],
  n: number | null,
  over: Partial<SeamInput> = {},
): SeamInput => ({
  topic: 'orders',
  partition: 0,
  s: b.length,
  n,
  copy: { logStart: 0, last: b.map((id, i) => record(i, id)).slice(-4) },
  source: { logStart: 0, end: a.length, records: a.map((id, i) => record(i, id)), from: 0 },
  ...over,
});

describe('the seam', () => {
  it('lies at N when the copy ends there, and behind it when N was said too early', () => {
    expect(proveSeam(at([1, 2, 3, 4, 5, 6], [1, 2, 3, 4], 3))).toEqual({
      verdict: 'proved',
      lastCopied: 3,
      compared: 4,
    });
    expect(proveSeam(at([1, 2, 3, 4, 5, 6], [1, 2, 3, 4], 1))).toMatchObject({ verdict: 'proved', lastCopied: 3 });
    expect(proveSeam(at([1, 2, 3, 4, 5, 6], [1, 2, 3, 4], null))).toMatchObject({ verdict: 'proved', lastCopied: 3 });
  });

  it('is not there when the old log ends before what was copied of it', () => {
    expect(proveSeam(at([1, 2], [1, 2, 3, 4], 3))).toEqual({ verdict: 'shorter', end: 2, needed: 4 });
  });

  it('is not there when another history stands where the copy ends', () => {
    expect(proveSeam(at([1, 2, 13, 14, 15], [1, 2, 3, 4], 3))).toMatchObject({ verdict: 'different' });
    expect(proveSeam(at([9, 9, 9, 9, 9], [1, 2, 3, 4], 3))).toMatchObject({ verdict: 'different' });
    expect(proveSeam(at([9, 9], [1, 2, 3, 4], null))).toMatchObject({ verdict: 'different' });
  });

  it('survives repeats of a restarted copier', () => {
    expect(proveSeam(at([1, 2, 3, 4, 5], [1, 2, 3, 2, 3, 4], 3))).toMatchObject({ verdict: 'proved', lastCopied: 3 });
    expect(proveSeam(at([1, 2, 3, 4, 5], [1, 2, 3, 4, 3], 3))).toMatchObject({ verdict: 'proved', lastCopied: 3 });
  });

  it('takes the earliest of equal records, so that the tail is never said too short', () => {
    expect(proveSeam(at([1, 1, 1, 1, 1], [1, 1], 1))).toMatchObject({ verdict: 'proved', lastCopied: 1 });
  });

  it('does not ask for what retention took on either side', () => {
    const a = { logStart: 3, end: 6, records: [record(3, 4), record(4, 5), record(5, 6)], from: 3 };
    expect(proveSeam(at([], [1, 2, 3, 4], 3, { source: a }))).toMatchObject({
      verdict: 'proved',
      lastCopied: 3,
      compared: 1,
    });
    const gone = { logStart: 5, end: 6, records: [record(5, 6)], from: 5 };
    expect(proveSeam(at([], [1, 2, 3, 4], 3, { source: gone }))).toEqual({
      verdict: 'proved',
      lastCopied: 3,
      compared: 0,
    });
    const none = { logStart: 4, last: [] };
    expect(proveSeam(at([1, 2, 3, 4, 5], [], 3, { s: 4, copy: none }))).toMatchObject({
      verdict: 'proved',
      lastCopied: 3,
    });
    expect(proveSeam(at([1, 2], [], null, { s: 4, copy: none }))).toMatchObject({ verdict: 'different' });
    expect(proveSeam(at([1, 2], [], null))).toEqual({ verdict: 'proved', lastCopied: -1, compared: 0 });
  });

  it('never hides a record of the tail, whatever gaps, equal records and repeats the logs have', () => {
    const log = fc.array(fc.record({ id: fc.integer({ min: 0, max: 60 }), gap: fc.nat({ max: 2 }) }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        log,
        fc.nat(),
        fc.nat(),
        fc.nat({ max: 6 }),
        fc.integer({ min: 1, max: 16 }),
        (made, cutAt, late, back, k) => {
          const a: SeamRecord[] = [];
          for (const { id, gap } of made) a.push(record((a.at(-1)?.offset ?? -1) + 1 + gap, id));
          const copied = cutAt % (a.length + 1); // how many of a's records b has
          const restart = Math.max(0, copied - back);
          const onB = [
            ...a.slice(0, copied - Math.min(copied, 2)),
            ...a.slice(Math.min(restart, copied - Math.min(copied, 2)), copied),
          ];
          const saidAt = copied - 1 - (late % 4);
          const truth = a[copied - 1]?.offset ?? -1;
          const verdict = proveSeam({
            topic: 't',
            partition: 0,
            s: onB.length,
            n: saidAt < 0 ? null : (a[saidAt]?.offset ?? null),
            copy: { logStart: 0, last: onB.slice(-k) },
            source: { logStart: 0, end: (a.at(-1)?.offset ?? -1) + 1, records: a, from: 0 },
          });
          expect(verdict.verdict).not.toBe('shorter');
          if (verdict.verdict === 'proved') expect(verdict.lastCopied).toBeLessThanOrEqual(truth);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('is always found in a log of distinct records, at its very place', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 }),
        fc.nat(),
        fc.nat({ max: 5 }),
        fc.integer({ min: 1, max: 16 }),
        (length, cutAt, late, k) => {
          const a = Array.from({ length }, (_, i) => record(i * 2, i));
          const copied = cutAt % (length + 1);
          const saidAt = copied - 1 - late;
          const verdict = proveSeam({
            topic: 't',
            partition: 0,
            s: copied,
            n: saidAt < 0 ? null : (a[saidAt]?.offset ?? null),
            copy: { logStart: 0, last: a.slice(0, copied).slice(-k) },
            source: { logStart: 0, end: length * 2, records: a, from: 0 },
          });
          expect(verdict).toMatchObject({ verdict: 'proved', lastCopied: copied === 0 ? -1 : (copied - 1) * 2 });
        },
      ),
    );
  });
});

describe('what is offered', () => {
  const finding = (over: Partial<SeamFinding> = {}): SeamFinding => ({
    topic: 'orders',
    partition: 0,
    s: 4,
    end: 6,
    sourceStart: 0,
    copyStart: 0,
    seam: { verdict: 'proved', lastCopied: 3, compared: 4 },
    ...over,
  });

  it('everything when each seam is proved', () => {
    expect(offeredChoices([finding(), finding({ partition: 1 })])).toEqual({
      choices: ['accept', 'export', 'replay', 'rebuild'],
      reasons: [],
    });
  });

  it('only rebuild when one log came back shorter, is another one, or the active cluster lost what must travel back', () => {
    const shorter = finding({ partition: 1, seam: { verdict: 'shorter', end: 2, needed: 4 } });
    expect(offeredChoices([finding(), shorter])).toMatchObject({ choices: ['rebuild'] });
    expect(offeredChoices([finding(), shorter]).reasons).toHaveLength(1);
    expect(offeredChoices([finding({ seam: { verdict: 'different', reason: 'x' } })])).toMatchObject({
      choices: ['rebuild'],
    });
    expect(offeredChoices([finding({ copyStart: 5 })])).toMatchObject({ choices: ['rebuild'] });
    expect(offeredChoices([])).toMatchObject({ choices: ['rebuild'] });
  });

  it('ranges of the tail: behind the seam, up to the end, never before what the old log still holds', () => {
    expect(tailRanges([finding()])).toEqual([{ topic: 'orders', partition: 0, from: 4, to: 6 }]);
    expect(tailRanges([finding({ sourceStart: 5 })])).toEqual([{ topic: 'orders', partition: 0, from: 5, to: 6 }]);
    expect(tailRanges([finding({ end: 4 })])).toEqual([]);
    expect(tailRanges([finding({ seam: { verdict: 'different', reason: 'x' } })])).toEqual([]);
  });
});
