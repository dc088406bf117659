import path from 'node:path';

import { ManagedProcess, type ProcessExit } from './processes.js';
import type { RunFolder } from './run-folder.js';
import type { LabIdc, LabSpawn } from './types.js';
import type { Unit } from './unit.js';
import { waitFor } from './wait.js';

/** Lines kept per process for `waitForLine`; the log file has them all. */
const MAX_LINES = 5_000;

/** A process that a test or the demo started inside an IDC: it is killed, frozen and started with it. */
export class LabProcess {
  readonly unit: Unit;
  private readonly process: ManagedProcess;
  private readonly kept: string[] = [];

  constructor(spec: LabSpawn, folder: RunFolder, runId: string) {
    this.process = new ManagedProcess(
      {
        name: spec.name,
        command: spec.command,
        args: spec.args,
        ...(spec.env === undefined ? {} : { env: spec.env }),
        cwd: spec.cwd ?? folder.dir,
        logFile: path.join(folder.logs, `${spec.name}.log`),
        onLine: (line, stream) => {
          this.kept.push(line);
          if (this.kept.length > MAX_LINES) this.kept.shift();
          spec.onLine?.(line, stream);
        },
      },
      runId,
    );
    this.unit = {
      kind: 'process',
      idc: spec.idc,
      process: this.process,
      ports: spec.ports ?? [],
      ready: () => Promise.resolve(),
    };
  }

  get name(): string {
    return this.process.name;
  }

  get idc(): LabIdc {
    return this.unit.idc;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.process.pid;
  }

  get running(): boolean {
    return this.process.running;
  }

  get lastExit(): ProcessExit | undefined {
    return this.process.lastExit;
  }

  /** The newest lines of stdout and stderr over all its starts, oldest first, at most 5,000. */
  get lines(): readonly string[] {
    return this.kept;
  }

  /** Resolves at the end of its present run (at once when it does not run). */
  async whenEnded(): Promise<ProcessExit> {
    return this.process.whenEnded();
  }

  logTail(lines?: number): string {
    return this.process.logTail(lines);
  }

  /** Waits for a line that matches, among those since `from` (an index into `lines`); fails early when the process ends. */
  async waitForLine(pattern: RegExp, timeoutMs: number, from = 0): Promise<string> {
    return waitFor(
      `${this.name} prints ${String(pattern)}`,
      () => this.kept.slice(from).find((line) => pattern.test(line)),
      {
        timeoutMs,
        giveUp: () => this.process.failure(),
      },
    );
  }
}
