import { readdirSync, readFileSync } from 'node:fs';
import type { LabIdc, LabProcess } from '#lab';
import type { Installation } from '../installation/index.js';
import { largest, metric } from '../stats/index.js';
import { HeapProbe } from './heap-after-gc.js';

export type Sample = Readonly<{
  atMs: number; // monotonic
  heapAfterGcBytes: number; // without compiled code
  codeBytes: number; // compiled code and bytecode, after the same collection
  heapBytes: number; // as /metrics says, with garbage
  rssBytes: number;
  openFiles: number;
  loopP99Ms: number; // since the sample before, without what the sampling itself stops the loop for
  cpuSeconds: number; // since the start of the process
  rounds: number | null; // probe rounds of the cluster probed most; agents only
}>;

const DEADLINE_MS = 10_000;

/** Looks at one controller or agent from outside: /proc, /metrics and, for the heap without garbage, its inspector. */
export class ProcessSampler {
  readonly name: string;
  private readonly heap: HeapProbe;
  private readonly metricsUrl: string;

  constructor(
    installation: Installation,
    readonly kind: 'controller' | 'agent',
    idc: LabIdc,
  ) {
    this.process = installation[kind](idc);
    this.name = this.process.name;
    this.metricsUrl = installation.metricsUrl(kind, idc);
    this.heap = new HeapProbe(this.process);
  }

  private readonly process: LabProcess;

  /** Null: it lives but did not answer in time. Throws when it has ended. */
  async sample(): Promise<Sample | null> {
    try {
      return await this.look();
    } catch (error) {
      if (this.process.pid !== undefined && error instanceof Error && error.name === 'TimeoutError') return null;
      throw error;
    }
  }

  private async look(): Promise<Sample> {
    const before = await this.scrape();
    const { pid } = this.process;
    if (pid === undefined) throw new Error(`${this.name} ended: ${this.process.logTail(10)}`);
    const rssBytes = residentBytes(pid);
    const openFiles = readdirSync(`/proc/${pid}/fd`).length;
    const heap = await this.heap.heapAfterGc();
    await this.scrape(); // ends the event loop's interval that the collection fell in
    return {
      atMs: performance.now(),
      heapAfterGcBytes: heap.liveBytes,
      codeBytes: heap.codeBytes,
      heapBytes: required(metric(before, 'nodejs_heap_size_used_bytes'), this.name),
      rssBytes,
      openFiles,
      loopP99Ms: required(metric(before, 'nodejs_eventloop_lag_p99_seconds'), this.name) * 1_000,
      cpuSeconds: required(metric(before, 'process_cpu_seconds_total'), this.name),
      rounds: largest(before, 'pointsman_probe_rounds_total'),
    };
  }

  private async scrape(): Promise<string> {
    const response = await fetch(this.metricsUrl, { signal: AbortSignal.timeout(DEADLINE_MS) });
    if (!response.ok) throw new Error(`${this.metricsUrl}: ${response.status}`);
    return response.text();
  }
}

function required(value: number | null, name: string): number {
  if (value === null) throw new Error(`${name} does not expose Node's default metrics`);
  return value;
}

function residentBytes(pid: number): number {
  const kB = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kB === undefined) throw new Error(`the kernel does not say the resident memory of ${pid}`);
  return Number(kB) * 1_024;
}
