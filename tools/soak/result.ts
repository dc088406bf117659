import { textTable } from '../stats/index.js';
import type { OrderCounts } from './orders.js';
import type { RowCounts } from './row-watch.js';
import { GOALS, type ProcessVerdict } from './verdict.js';

/** What one soak run found; the JSON line. */
export type SoakResult = Readonly<{
  ok: boolean;
  minutes: number; // counted, without the warm-up
  warmUpMinutes: number;
  missedLooks: number; // a process lived but did not answer in time
  processes: readonly ProcessVerdict[];
  rows: RowCounts;
  orders: OrderCounts;
  failures: readonly string[]; // why ok is false
  missed: readonly string[]; // goals that were not met, or not resolved; they do not make the run fail
}>;

export function soakResult(parts: Omit<SoakResult, 'ok' | 'failures' | 'missed'>): SoakResult {
  const { processes, rows, orders } = parts;
  const failures = [
    ...processes
      .filter((p) => p.heap === 'growing')
      .map((p) => `${p.name}: the heap grows by ${perReport(p)} B per report`),
    ...processes
      .filter((p) => p.heap !== 'growing' && !p.flat)
      .map((p) => `${p.name}: ${p.openFilesGrowth} more open files`),
    ...(rows.moved ? ['traffic moved'] : []),
    ...(orders.lost.length === 0
      ? []
      : [`${orders.lost.length} acknowledged orders are not on b: ${orders.lost.slice(0, 5).join(' ')}`]),
    ...(orders.failed === 0 ? [] : [`${orders.failed} orders were refused`]),
  ];
  const missed = [
    ...processes
      .filter((p) => p.heap === 'unresolved')
      .map((p) => `${p.name}: ${perReport(p)} B per report is not told apart from ${GOALS.heapBytesPerReport}`),
    ...processes
      .filter((p) => p.loopP99Ms > GOALS.loopP99Ms)
      .map((p) => `${p.name}: event loop p99 ${p.loopP99Ms.toFixed(1)} ms, goal ${GOALS.loopP99Ms}`),
    ...(parts.missedLooks === 0 ? [] : [`${parts.missedLooks} looks at a process had no answer`]),
    ...(rows.notSteady === 0 ? [] : [`${rows.notSteady} of ${rows.seen} answers were not row 800`]),
    ...(rows.unanswered === 0 ? [] : [`${rows.unanswered} questions to controllers had no answer`]),
  ];
  return { ok: failures.length === 0, ...parts, failures, missed };
}

export function tell(result: SoakResult): string {
  const kB = (bytes: number): string => (bytes / 1_024).toFixed(1);
  const table = textTable([
    [
      'process',
      'heap MB',
      'kB/min',
      'B/report ± 2 se',
      'halves kB',
      'heap is',
      'code MB',
      'halves kB',
      'RSS MB',
      'halves MB',
      'files',
      'halves',
      'loop p99 ms',
      'worst',
      'CPU %',
    ],
    ...result.processes.map((p) => [
      p.name,
      p.heapMb.toFixed(1),
      kB(p.heapSlopePerMinute),
      perReport(p),
      kB(p.heapGrowth),
      p.heap,
      p.codeMb.toFixed(1),
      kB(p.codeGrowth),
      p.rssMb.toFixed(0),
      (p.rssGrowth / 2 ** 20).toFixed(1),
      p.openFiles.toFixed(0),
      p.openFilesGrowth.toFixed(0),
      p.loopP99Ms.toFixed(1),
      p.loopP99WorstMs.toFixed(1),
      p.cpuPercent.toFixed(1),
    ]),
  ]);
  const { rows, orders } = result;
  return [
    `${result.minutes.toFixed(1)} minutes counted after ${result.warmUpMinutes.toFixed(1)} of warm-up; heap after a full collection, compiled code apart; p99 contains the 10 ms of its own timer`,
    table,
    `rows: ${Object.entries(rows.byRow)
      .map(([row, n]) => `${row} × ${n}`)
      .join(', ')}; unanswered ${rows.unanswered}; ${rows.moved ? 'TRAFFIC MOVED' : 'nothing moved'}`,
    `orders: acknowledged ${orders.acknowledged}, consumed ${orders.consumed}, lost ${orders.lost.length}, refused ${orders.failed}, duplicated ${orders.duplicated}, out of order ${orders.outOfOrder}`,
    ...result.missed.map((line) => `missed: ${line}`),
    ...result.failures.map((line) => `FAILED: ${line}`),
    result.ok ? 'flat; nothing moved' : 'not flat, or something moved',
  ].join('\n');
}

const perReport = (p: ProcessVerdict): string => `${p.heapPerReport.toFixed(1)} ± ${p.heapPerReportError.toFixed(1)}`;
