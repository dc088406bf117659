import { fitLine, growth, median } from '../stats/index.js';
import type { Sample } from './process-sampler.js';

export const GOALS = { heapBytesPerReport: 1, loopP99Ms: 20 } as const;

/** A growth below this part of the heap over the whole time is not told apart from noise, whatever the fit says. */
const NEGLIGIBLE = 0.01;
/** Connections come and go: two open files more are no leak. */
const OPEN_FILES_SLACK = 2;

export type ProcessVerdict = Readonly<{
  name: string;
  samples: number;
  reportsPerMinute: number;
  heapMb: number; // median after a full collection, without compiled code
  heapSlopePerMinute: number; // bytes
  heapPerReport: number; // bytes
  heapPerReportError: number; // ± 2 standard errors
  heapGrowth: number; // bytes, median of the second half less the first
  codeMb: number; // median of compiled code
  codeGrowth: number; // bytes, as heapGrowth; told, not judged
  rssMb: number;
  rssGrowth: number; // bytes
  openFiles: number;
  openFilesGrowth: number;
  loopP99Ms: number; // median over the samples
  loopP99WorstMs: number;
  cpuPercent: number; // of one core
  heap: 'flat' | 'unresolved' | 'growing';
  flat: boolean;
}>;

/**
 * Judges one process. `growing`: even the lower end of the slope's uncertainty is above the goal, and the growth is one
 * that counts. `flat`: the slope itself meets the goal. `unresolved`: above it, but not told apart from noise.
 */
export function judge(name: string, samples: readonly Sample[], reportsPerMinute: number): ProcessVerdict {
  const heap = samples.map((s) => s.heapAfterGcBytes);
  const line = fitLine(samples.map((s) => ({ x: s.atMs / 60_000, y: s.heapAfterGcBytes })));
  const heapPerReport = line.slope / reportsPerMinute;
  const heapPerReportError = (2 * line.slopeError) / reportsPerMinute;
  const heapGrowth = growth(heap);
  const openFiles = samples.map((s) => s.openFiles);
  const first = samples[0];
  const last = samples.at(-1);
  const elapsedMs = first === undefined || last === undefined ? Number.NaN : last.atMs - first.atMs;
  const proven =
    heapPerReport - heapPerReportError > GOALS.heapBytesPerReport && heapGrowth > NEGLIGIBLE * median(heap);
  const verdict = heapPerReport <= GOALS.heapBytesPerReport ? 'flat' : proven ? 'growing' : 'unresolved';
  return {
    name,
    samples: samples.length,
    reportsPerMinute,
    heapMb: median(heap) / 2 ** 20,
    heapSlopePerMinute: line.slope,
    heapPerReport,
    heapPerReportError,
    heapGrowth,
    codeMb: median(samples.map((s) => s.codeBytes)) / 2 ** 20,
    codeGrowth: growth(samples.map((s) => s.codeBytes)),
    rssMb: median(samples.map((s) => s.rssBytes)) / 2 ** 20,
    rssGrowth: growth(samples.map((s) => s.rssBytes)),
    openFiles: median(openFiles),
    openFilesGrowth: growth(openFiles),
    loopP99Ms: median(samples.map((s) => s.loopP99Ms)),
    loopP99WorstMs: Math.max(...samples.map((s) => s.loopP99Ms)),
    cpuPercent: (((last?.cpuSeconds ?? 0) - (first?.cpuSeconds ?? 0)) * 100_000) / elapsedMs,
    heap: verdict,
    flat: verdict !== 'growing' && growth(openFiles) <= OPEN_FILES_SLACK,
  };
}
