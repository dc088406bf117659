import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHistory, encodeHistory } from './history-codec.js';
import { mirror, type MirrorStep, readAgain, skipped } from './mirror.spec-helper.js';
import { type HistoryLimits, SyncHistory } from './sync-history.js';
import { translateForward, translateReverse } from './translate.js';

const step: fc.Arbitrary<MirrorStep> = fc.oneof(
  { weight: 12, arbitrary: fc.constant({ kind: 'record' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('gap' as const), offsets: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'commit' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
);
const steps = fc.array(step, { minLength: 1, maxLength: 120 });
const options = fc.record({ lagMax: fc.integer({ min: 1, max: 12 }), targetMarkers: fc.boolean() });
const limits: fc.Arbitrary<HistoryLimits> = fc.record({
  maxPairs: fc.constantFrom(4, 9, 1_000),
  maxGenerations: fc.constantFrom(2, 64),
});

function historyOf(syncs: readonly (readonly [number, number])[], within: HistoryLimits): SyncHistory {
  const history = new SyncHistory(within);
  for (const [up, down] of syncs) history.note(up, down);
  return history;
}

describe('translation of a group’s position', () => {
  it('skips nothing that was copied, and says how much is read again (I34)', () => {
    fc.assert(
      fc.property(steps, options, limits, fc.boolean(), (log, how, within, stopped) => {
        const m = mirror(log, how);
        const history = historyOf(m.syncs, within);
        const frozen = stopped ? { n: m.position, s: m.copied.length } : null;
        const around = { frozen, countable: !how.targetMarkers, logStart: 0, logEnd: m.copied.length };
        for (let u = 0; u <= m.sourceEnd; u += 1) {
          const t = translateForward(history, u, around);
          if (t.offset === null) continue;
          expect(skipped(m.copied, u, t.offset), `u ${u}`).toEqual([]);
          expect(t.offset).toBeLessThanOrEqual(m.copied.length);
          const again = readAgain(m.copied, u, t.offset);
          if (t.rereadAtMost !== null) expect(again, `u ${u}`).toBeLessThanOrEqual(t.rereadAtMost);
          if (t.confidence === 'EXACT') expect(again).toBe(0);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('can tell every position of a log whose syncs it has from the first one on', () => {
    fc.assert(
      fc.property(steps, options, (log, how) => {
        const m = mirror(log, how);
        const history = historyOf(m.syncs, { maxPairs: 1_000, maxGenerations: 64 });
        const known = history.size === 0 ? [] : Array.from({ length: m.sourceEnd + 1 }, (_, u) => u);
        for (const u of known) expect(translateForward(history, u).confidence).not.toBe('NONE');
      }),
    );
  });

  it('is exact at every offset of a log without gaps that one task copied', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 1, max: 30 }), (records, lagMax) => {
        const log: MirrorStep[] = [...Array.from({ length: records }, () => ({ kind: 'record' as const }))];
        const m = mirror([...log, { kind: 'commit' }], { lagMax, targetMarkers: false });
        const history = historyOf(m.syncs, { maxPairs: 1_000, maxGenerations: 64 });
        expect(history.size).toBe(2); // whatever the length of the log
        for (let u = 0; u < records; u += 1) {
          expect(translateForward(history, u)).toEqual({ confidence: 'EXACT', offset: u, rereadAtMost: 0 });
          expect(translateReverse(history, u)).toEqual({ confidence: 'EXACT', offset: u, rereadAtMost: 0 });
        }
      }),
    );
  });

  it('backwards, leaves out no record that the group has not read on the target', () => {
    fc.assert(
      fc.property(steps, options, limits, (log, how, within) => {
        const m = mirror(log, how);
        const history = historyOf(m.syncs, within);
        for (let o = 0; o <= m.copied.length; o += 1) {
          const t = translateReverse(history, o, { sourceEnd: m.sourceEnd, countable: !how.targetMarkers });
          if (t.offset === null) continue;
          const read = new Set(m.copied.slice(0, o));
          const unread = m.copied.slice(o).filter((source) => source >= 0 && !read.has(source));
          for (const source of unread) expect(source, `o ${o}`).toBeGreaterThanOrEqual(t.offset);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('answers the same after a stay on disk', () => {
    fc.assert(
      fc.property(steps, options, limits, (log, how, within) => {
        const m = mirror(log, how);
        const history = historyOf(m.syncs, within);
        const back = decodeHistory(encodeHistory(history), within);
        for (let u = 0; u <= m.sourceEnd; u += 1) {
          expect(translateForward(back, u)).toEqual(translateForward(history, u));
          expect(back.limitFor(u)).toBe(history.limitFor(u));
        }
      }),
    );
  });

  it('takes syncs that it reads twice for what they are', () => {
    fc.assert(
      fc.property(steps, options, fc.nat(20), (log, how, back) => {
        const m = mirror(
          log.filter((s) => s.kind !== 'restart'),
          { ...how, targetMarkers: false },
        );
        const once = historyOf(m.syncs, { maxPairs: 1_000, maxGenerations: 64 });
        const twice = historyOf([...m.syncs, ...m.syncs.slice(-back - 1)], { maxPairs: 1_000, maxGenerations: 64 });
        for (let u = 0; u <= m.sourceEnd; u += 1) {
          expect(translateForward(twice, u)).toEqual(translateForward(once, u));
        }
      }),
    );
  });
});
