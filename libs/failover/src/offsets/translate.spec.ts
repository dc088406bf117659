import { describe, expect, it } from 'vitest';
import { mirror, type MirrorStep, readAgain, skipped } from './mirror.spec-helper.js';
import { SyncHistory } from './sync-history.js';
import { translateForward, translateReverse } from './translate.js';

const many = (kind: 'record' | 'commit', times: number): MirrorStep[] =>
  Array.from({ length: times }, () => ({ kind }));
const gap = (offsets: number): MirrorStep => ({ kind: 'gap', offsets });

function historyOf(...syncs: readonly (readonly [number, number])[]): SyncHistory {
  const history = new SyncHistory();
  for (const [up, down] of syncs) history.note(up, down);
  return history;
}

describe('one difference for the whole log: U − D of a single sync, added to every offset', () => {
  // A transactional source: a marker takes an offset after every ten records, and is not copied.
  const log = Array.from({ length: 40 }, () => [...many('record', 10), gap(1)]).flat();
  const m = mirror(log, { lagMax: 10, targetMarkers: false });
  const deltaOf = ([up, down]: readonly [number, number]): number => up - down;
  const newest = deltaOf(m.syncs.at(-1) ?? [0, 0]);
  const oldest = deltaOf(m.syncs[0] ?? [0, 0]);
  const read = 150; // a group that has read the first 150 records of the target
  const truth = m.copied[read] ?? -1; // what it would read next, on the source

  it('loses records with the newest sync, and repeats with an old one', () => {
    expect(read + newest - truth).toBe(24); // skips 24 offsets of the source, some 22 records
    expect(truth - (read + oldest)).toBe(15); // reads them again
    expect(skipped(m.copied, truth - newest, 0).length).toBe(0);
  });

  it('does the same forwards', () => {
    const upstream = truth;
    expect(skipped(m.copied, upstream, upstream - oldest).length).toBe(15); // never read again by anybody
    expect(readAgain(m.copied, upstream, upstream - newest)).toBe(24);
  });

  it('where the history of syncs neither loses nor repeats', () => {
    const history = historyOf(...m.syncs);
    expect(translateReverse(history, read).offset).toBe(truth);
    expect(translateForward(history, truth)).toEqual({ confidence: 'EXACT', offset: read, rereadAtMost: 0 });
  });
});

describe('a task that began again and did not get as far as before', () => {
  // Copied 0..99, stored 80, began again at 81 and came to 90; then the source died.
  const history = historyOf([0, 0], [99, 99], [81, 100], [90, 109]);
  const copied = [...Array.from({ length: 100 }, (_, i) => i), ...Array.from({ length: 10 }, (_, i) => 81 + i)];

  it('is not followed by the rule "the newest generation with a sync above u": that skips what only the first copy holds', () => {
    expect(skipped(copied, 86, 105)).toEqual([91, 92, 93, 94, 95, 96, 97, 98, 99]);
  });

  it('sends the group to the first copy, and counts what the second repeats', () => {
    const t = translateForward(history, 86);
    expect(t).toEqual({ confidence: 'SAFE', offset: 86, rereadAtMost: 5 });
    expect(skipped(copied, 86, 86)).toEqual([]);
    expect(readAgain(copied, 86, 86)).toBe(5);
  });

  it('sends it to the second one as soon as that has come as far', () => {
    history.note(99, 118);
    expect(translateForward(history, 86)).toMatchObject({ confidence: 'EXACT', offset: 105 });
  });
});

describe('the end of a flow that was stopped', () => {
  it('lets a group that has read everything begin at the end', () => {
    const history = historyOf([0, 0], [10, 10]);
    expect(translateForward(history, 15, { frozen: { n: 14, s: 15 } })).toMatchObject({
      confidence: 'EXACT',
      offset: 15,
    });
    expect(translateForward(history, 13, { frozen: { n: 14, s: 15 } })).toMatchObject({
      confidence: 'EXACT',
      offset: 13,
    });
    expect(translateForward(history, 16, { frozen: { n: 14, s: 15 } })).toMatchObject({ offset: 15 }); // a marker lies behind
  });

  it('proves nothing when others wrote to the target too', () => {
    const history = historyOf([0, 0], [10, 10]);
    expect(translateForward(history, 15, { frozen: { n: 14, s: 40 } })).toEqual({
      confidence: 'SAFE',
      offset: 11,
      rereadAtMost: 4,
    });
  });
});

describe('logs made anew, switched and cut', () => {
  it('forgets a target log whose offsets fell back', () => {
    const history = historyOf([0, 0], [100, 100], [101, 0], [150, 49]);
    expect(translateForward(history, 120)).toMatchObject({ confidence: 'EXACT', offset: 19 });
    expect(translateForward(history, 50)).toMatchObject({ offset: 0 });
  });

  it('leaves a source topic that was made anew with its own records only', () => {
    const before = historyOf([0, 0], [1_000, 1_000]);
    const { begun } = before;
    before.note(0, 1_001);
    before.note(40, 1_041);
    expect(translateForward(before, 30)).toMatchObject({ offset: 30, confidence: 'SAFE' }); // the same, for all it knows
    before.renewed(begun);
    expect(translateForward(before, 30)).toMatchObject({ offset: 1_031, confidence: 'EXACT' });

    const after = historyOf([0, 0], [1_000, 1_000]);
    after.renewed(after.begun); // told before MirrorMaker copied anything of the new one
    after.note(0, 1_001);
    after.note(40, 1_041);
    expect(translateForward(after, 30)).toMatchObject({ offset: 1_031, confidence: 'EXACT' });
  });

  it('keeps nothing of a former life that was longer in its target than the new one will ever be', () => {
    const history = historyOf([0, 0], [10, 900]); // copied twice and more: a few records of the source, many of the target
    history.renewed(history.begun); // made anew from the target: what was at 900 is at 900 now
    expect(translateReverse(history, 500)).toMatchObject({ offset: 1 });
    expect(translateForward(history, 600, { frozen: { n: 899, s: 900 } })).toMatchObject({ offset: 901 });
    history.settle();
    expect(translateReverse(history, 500).offset).toBeNull();
    expect(translateForward(history, 600).offset).toBeNull();
    history.note(700, 1_500); // no fall: its numbers lie above those of the former life
    history.settle();
    expect(translateForward(history, 700)).toMatchObject({ offset: 1_500, confidence: 'EXACT' });
    expect(translateForward(history, 600).offset).toBeNull();
  });

  it('counts nothing across a time in which the target was the active cluster', () => {
    const history = historyOf([0, 0], [100, 100]);
    history.split();
    history.note(500, 500); // looks gap-free, but neither side’s log was copied in between
    history.note(510, 510);
    expect(translateForward(history, 300)).toMatchObject({ confidence: 'SAFE', offset: 101 });
    expect(translateForward(history, 505)).toMatchObject({ confidence: 'EXACT', offset: 505 });
  });

  it('says NONE below the oldest sync of a log that is older', () => {
    const history = historyOf([1_000, 900], [1_010, 910]);
    expect(translateForward(history, 500).confidence).toBe('NONE');
    expect(translateForward(history, 500, { logStart: 900 })).toMatchObject({ confidence: 'EXACT', offset: 900 });
    expect(translateForward(history, 500, { atTimestamp: 420 })).toMatchObject({
      confidence: 'TIMESTAMP',
      offset: 420,
    });
  });

  it('never answers past the end of the log, nor before its start', () => {
    const history = historyOf([0, 0], [100, 100]);
    expect(translateForward(history, 400, { logEnd: 101 })).toMatchObject({ offset: 101, confidence: 'EXACT' });
    expect(translateForward(history, 20, { logStart: 60 })).toMatchObject({ offset: 60 });
    expect(translateReverse(history, 400, { sourceEnd: 90 })).toMatchObject({ offset: 90 });
  });

  it('leaves what the flow did not write to the other direction', () => {
    const history = historyOf([0, 0], [100, 100]);
    expect(translateReverse(history, 150, { frozen: { n: 100, s: 101 } }).confidence).toBe('NONE');
    expect(translateReverse(history, 101, { frozen: { n: 100, s: 101 } })).toMatchObject({ offset: 101 });
  });
});
