import { pause, monotonicMs } from '#kafka';
import type { TailCommand, TailOutput } from '#failover';
import type { TimeLeft } from './offset-commands.js';

/** Work that outlives the command that began it. `progress` is read at any time; it must not throw. */
export type TailWork = Readonly<{
  progress: () => TailOutput;
  /**
   * Ends when all is done and on disk or acknowledged. Stops soon after `signal`. Whoever writes to a cluster calls
   * `mustBeAsked` before each request: it throws when the work is no longer this agent's.
   */
  run: (signal: AbortSignal, mustBeAsked: () => void) => Promise<void>;
}>;

type Job = {
  work: TailWork;
  ended: boolean;
  error: Error | null;
  endedAtMs: number;
  askedAtMs: number;
  forgotten: boolean;
};

const MAX_JOBS = 8;
const KEPT_MS = 15 * 60_000;
const POLL_MS = 100;
/**
 * Work that nobody has asked about for this long writes nothing more: its leader may have given it to another agent, and two
 * that write beside each other write everything twice. The controller waits longer than this (`WORK_LEFT_MS`).
 */
const LEASE_MS = 30_000;
/** Left for the answer to travel before the command's own deadline. */
const REPLY_MS = 500;

export class TooManyJobsError extends Error {
  readonly code = 'POINTSMAN_TAIL_BUSY';
  constructor() {
    super(`this agent is busy with ${MAX_JOBS} other tails; ask again when one has ended`);
  }
}

class ForgottenError extends Error {
  readonly code = 'POINTSMAN_TAIL_FORGOTTEN';
  constructor(leaseMs: number) {
    super(`nobody asked for ${leaseMs} ms, so another agent may do it now; ask again to begin anew`);
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
  readonly #leaseMs: number;

  constructor({ leaseMs = LEASE_MS }: Readonly<{ leaseMs?: number }> = {}) {
    this.#leaseMs = leaseMs;
  }

  /** The epoch is no part of what is asked: a second rejoin must join the work of the first, not write beside it. */
  async ask(group: string, body: TailCommand, left: TimeLeft, make: () => TailWork): Promise<TailOutput> {
    const key = JSON.stringify([group, body]);
    const job = this.#jobs.get(key) ?? this.#begin(key, make);
    this.#renew(job);
    while (!job.ended && left() > REPLY_MS + POLL_MS) {
      await pause(POLL_MS, this.#stop.signal);
      this.#renew(job);
    }
    if (job.error === null) return job.work.progress();
    if (this.#jobs.get(key) === job) this.#jobs.delete(key); // another who waited may have begun it anew meanwhile
    throw job.error;
  }

  close(): void {
    this.#stop.abort(new Error('the agent is stopping'));
  }

  #begin(key: string, make: () => TailWork): Job {
    this.#forget();
    if (this.#jobs.size >= MAX_JOBS) throw new TooManyJobsError();
    const askedAtMs = monotonicMs();
    const job: Job = { work: make(), ended: false, error: null, endedAtMs: 0, askedAtMs, forgotten: false };
    this.#jobs.set(key, job);
    job.work
      .run(this.#stop.signal, () => {
        if (this.#isForgotten(job)) throw new ForgottenError(this.#leaseMs);
      })
      .catch((error: unknown) => {
        job.error = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        job.ended = true;
        job.endedAtMs = monotonicMs();
      });
    return job;
  }

  #renew(job: Job): void {
    if (!this.#isForgotten(job)) job.askedAtMs = monotonicMs();
  }

  /** By the clock and for good: a process that stood still finds out before its next write, and a late question changes nothing. */
  #isForgotten(job: Job): boolean {
    job.forgotten ||= monotonicMs() - job.askedAtMs > this.#leaseMs;
    return job.forgotten;
  }

  #forget(): void {
    for (const [key, job] of this.#jobs) {
      if (job.ended && (monotonicMs() - job.endedAtMs > KEPT_MS || job.error !== null)) this.#jobs.delete(key);
    }
    const oldest = [...this.#jobs].find(([, job]) => job.ended);
    if (this.#jobs.size >= MAX_JOBS && oldest) this.#jobs.delete(oldest[0]);
  }
}
