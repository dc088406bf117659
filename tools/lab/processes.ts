import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, createWriteStream, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isMainThread } from 'node:worker_threads';

import { RUN_ID_VARIABLE, withDescendants } from './proc-fs.js';

export type ProcessSpec = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
  /** Called per line of stdout and stderr; without it both go straight to the log file. */
  readonly onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined;
  /** Signal at the death of the starting process; PostgreSQL wants INT (its fast shutdown), the rest KILL. */
  readonly deathSignal?: 'KILL' | 'INT';
  /** Further `setpriv` arguments: another uid for PostgreSQL under root. */
  readonly setprivArgs?: readonly string[];
};

export type ProcessExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/**
 * A server or application of the lab, which can be started again after its death. It dies with this process
 * (`setpriv --pdeathsig`), has its own process group (a Ctrl-C at a terminal is the lab's to handle), and carries the run id.
 */
export class ManagedProcess {
  private child: ChildProcess | undefined;
  private exit: ProcessExit | undefined;
  private ended: Promise<ProcessExit> = Promise.resolve({ code: null, signal: null });

  constructor(
    readonly spec: ProcessSpec,
    private readonly runId: string,
  ) {}

  get name(): string {
    return this.spec.name;
  }

  get pid(): number | undefined {
    return this.running ? this.child?.pid : undefined;
  }

  get running(): boolean {
    return this.child !== undefined && this.exit === undefined;
  }

  /** How it ended, once it has; undefined before the first start and while it runs. */
  get lastExit(): ProcessExit | undefined {
    return this.exit;
  }

  spawn(): void {
    if (this.running) throw new Error(`${this.name} runs already`);
    // The kernel sends the death signal when the *thread* that spawned ends, so a worker thread would kill servers early.
    if (!isMainThread) throw new Error('the lab must be started from the main thread');
    const { spec } = this;
    const log = openSync(spec.logFile, 'a');
    const output = spec.onLine === undefined ? log : 'pipe';
    const child = spawn(
      'setpriv',
      ['--pdeathsig', spec.deathSignal ?? 'KILL', ...(spec.setprivArgs ?? []), '--', spec.command, ...spec.args],
      {
        cwd: spec.cwd,
        env: { ...process.env, ...spec.env, [RUN_ID_VARIABLE]: this.runId },
        stdio: ['ignore', output, output],
        detached: true,
      },
    );
    closeSync(log);
    this.child = child;
    this.exit = undefined;
    this.ended = new Promise((resolve) => {
      const finish = (exit: ProcessExit): void => {
        if (this.child === child) this.exit = exit;
        resolve(exit);
      };
      child.on('exit', (code, signal) => finish({ code, signal }));
      child.on('error', () => finish({ code: -1, signal: null }));
    });
    if (spec.onLine !== undefined) this.forwardLines(child, spec.onLine);
  }

  /** Sends a signal to it and everything it started. Nothing happens when it does not run. */
  signal(signal: NodeJS.Signals): void {
    signalAll([this], signal);
  }

  async whenEnded(): Promise<ProcessExit> {
    return this.ended;
  }

  /** The end of its log, for error messages. */
  logTail(lines = 15): string {
    try {
      return readFileSync(this.spec.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch (error) {
      return `(no log: ${error instanceof Error ? error.message : String(error)})`;
    }
  }

  /** For `waitFor`: a server that ended will never be ready. */
  failure(): string | undefined {
    if (this.exit === undefined) return undefined;
    return `${this.name} ended (${this.exit.signal ?? `exit ${this.exit.code}`}); its last lines:\n${this.logTail()}`;
  }

  private forwardLines(child: ChildProcess, onLine: NonNullable<ProcessSpec['onLine']>): void {
    const log = createWriteStream(this.spec.logFile, { flags: 'a' });
    let open = 2;
    for (const stream of ['stdout', 'stderr'] as const) {
      const source = child[stream];
      if (source === null) continue;
      createInterface({ input: source, crlfDelay: Infinity })
        .on('line', (line) => {
          log.write(`${line}\n`);
          onLine(line, stream);
        })
        .on('close', () => {
          open -= 1;
          if (open === 0) log.end();
        });
    }
  }
}

/** One signal to many processes and their children, the process table read once: an IDC dies in one blow. */
export function signalAll(processes: readonly ManagedProcess[], signal: NodeJS.Signals): void {
  const roots = processes.map((each) => each.pid).filter((pid) => pid !== undefined);
  for (const pid of withDescendants(roots)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}
