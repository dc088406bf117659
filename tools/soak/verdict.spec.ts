import { describe, expect, it } from 'vitest';
import { metric } from '../stats/index.js';
import type { Sample } from './process-sampler.js';
import { judge } from './verdict.js';

const samples = (heapAt: (minute: number) => number, openFiles = (_minute: number): number => 30): Sample[] =>
  Array.from({ length: 60 }, (_, minute) => ({
    atMs: minute * 60_000,
    heapAfterGcBytes: heapAt(minute),
    heapBytes: 0,
    codeBytes: 4e6 + minute * 50_000,
    rssBytes: 100e6,
    openFiles: openFiles(minute),
    loopP99Ms: 11,
    cpuSeconds: minute * 3,
    rounds: null,
  }));
const jitter = (minute: number): number => ((minute * 7919) % 101) * 1_000;

describe('judge', () => {
  it('takes a heap that only jitters as not growing', () => {
    const verdict = judge(
      'ctl-a',
      samples((m) => 40e6 + jitter(m)),
      180,
    );
    expect(verdict).toMatchObject({ flat: true, samples: 60 }); // whatever compiled code does
    expect(verdict.cpuPercent).toBeCloseTo(5);
  });

  it('finds a leak of 200 bytes per report', () => {
    expect(
      judge(
        'ctl-a',
        samples((m) => 40e6 + jitter(m) + m * 180 * 200),
        180,
      ),
    ).toMatchObject({
      heap: 'growing',
      flat: false,
    });
  });

  it('says that a small growth cannot be told from noise', () => {
    expect(
      judge(
        'ctl-a',
        samples((m) => 40e6 + jitter(m) + m * 180 * 5),
        180,
      ),
    ).toMatchObject({
      heap: 'unresolved',
      flat: true,
    });
  });

  it('finds files that are never closed', () => {
    expect(
      judge(
        'ctl-a',
        samples(
          () => 40e6,
          (m) => 30 + m,
        ),
        180,
      ),
    ).toMatchObject({ heap: 'flat', flat: false });
  });
});

describe('metric', () => {
  it('sums the series of exactly this name', () => {
    const text = '# HELP rounds x\nrounds{cluster="a"} 3\nrounds{cluster="b"} 4\nrounds_other 9\n';
    expect(metric(text, 'rounds')).toBe(7);
    expect(metric(text, 'round')).toBeNull();
  });
});
