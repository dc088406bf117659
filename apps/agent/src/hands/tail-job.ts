import { pause, monotonicMs } from '#kafka';
import type { TailCommand, TailOutput } from '#failover';
import type { TimeLeft } from './offset-commands.js';

/** Work that outlives the command that began it. `progress` is read at any time; it must not throw. */
export type TailWork = Readonly<{
  progress: () => TailOutput;
  /** Ends when all is done and on disk or acknowledged. Stops soon after `signal`. */
  run: (signal: AbortSignal) => Promise<void>;
}>;

type Job = { work: TailWork; ended: boolean; error: Error | null; endedAtMs: number };

const MAX_JOBS = 8;
const KEPT_MS = 15 * 60_000;
const POLL_MS = 100;
/** Left for the answer to travel before the command's own deadline. */
const REPLY_MS = 500;

export class TooManyJobsError extends Error {
  readonly code = 'POINTSMAN_TAIL_BUSY';
  constructor() {
    super(`this agent is busy with ${MAX_JOBS} other tails; ask again when one has ended`);
  }
}

/**
 * Logs of any size are read within no command's deadline. So a command begins its work or joins it, waits as long as it may and
 * says how far the work is; the leader asks again, and so does the next leader. Work that failed is begun anew by the next
 * question; each kind can be: it looks at what is there before it writes.
 */
export class TailJobs {
  readonly #jobs = new Map<string, Job>();
  readonly #stop = new AbortController();

  /** The epoch is no part of what is asked: a second rejoin must join the work of the first, not write beside it. */
  async ask(group: string, body: TailCommand, left: TimeLeft, make: () => TailWork): Promise<TailOutput> {
    const key = JSON.stringify([group, body]);
    const job = this.#jobs.get(key) ?? this.#begin(key, make);
    while (!job.ended && left() > REPLY_MS + POLL_MS) await pause(POLL_MS, this.#stop.signal);
    if (job.error === null) return job.work.progress();
    this.#jobs.delete(key);
    throw job.error;
  }

  close(): void {
    this.#stop.abort(new Error('the agent is stopping'));
  }

  #begin(key: string, make: () => TailWork): Job {
    this.#forget();
    if (this.#jobs.size >= MAX_JOBS) throw new TooManyJobsError();
    const job: Job = { work: make(), ended: false, error: null, endedAtMs: 0 };
    this.#jobs.set(key, job);
    job.work
      .run(this.#stop.signal)
      .catch((error: unknown) => {
        job.error = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        job.ended = true;
        job.endedAtMs = monotonicMs();
      });
    return job;
  }

  #forget(): void {
    for (const [key, job] of this.#jobs) {
      if (job.ended && (monotonicMs() - job.endedAtMs > KEPT_MS || job.error !== null)) this.#jobs.delete(key);
    }
    const oldest = [...this.#jobs].find(([, job]) => job.ended);
    if (this.#jobs.size >= MAX_JOBS && oldest) this.#jobs.delete(oldest[0]);
  }
}
