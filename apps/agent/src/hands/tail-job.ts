import { pause, monotonicMs } from '#kafka';
import { writtenBy, type TailCommand, type TailOutput } from '#failover';
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
  place: string | null;
  stop: AbortController;
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

class PlaceTakenError extends Error {
  readonly code = 'POINTSMAN_TAIL_PLACE_TAKEN';
  constructor(place: string, leaseMs: number) {
    super(
      `another ${place} is at work here: it stops ${leaseMs} ms after it was last asked about; ` +
        'abort the rejoin that asks for it, or wait, then ask again',
    );
  }
}

class ForgottenError extends Error {
  readonly code = 'POINTSMAN_TAIL_FORGOTTEN';
  constructor(leaseMs: number) {
    super(`nobody asked for ${leaseMs} ms, so another agent may do it now; ask again to begin anew`);
  }
}

/** What it writes where, in words; null: to no cluster. */
function placeOf(group: string, body: TailCommand): string | null {
  const to = writtenBy(body);
  return to === null ? null : `${body.kind} to ${to} for ${group}`;
}

/**
 * Logs of any size are read within no command's deadline. So a command begins its work or joins it, waits as long as it may and
 * says how far the work is; the leader asks again, and so does the next leader. Work that failed is begun anew by the next
 * question; each kind can be: it looks at what is there before it writes. So two of different bodies, such as of another
 * strategy, never write to one place side by side: neither would see what the other is about to write.
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
    const job = this.#jobs.get(key) ?? this.#begin(key, placeOf(group, body), make);
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

  #begin(key: string, place: string | null, make: () => TailWork): Job {
    if (place !== null && this.#isTaken(place)) throw new PlaceTakenError(place, this.#leaseMs);
    this.#forget();
    if (this.#jobs.size >= MAX_JOBS) throw new TooManyJobsError();
    const askedAtMs = monotonicMs();
    const stop = new AbortController();
    const job: Job = {
      ...{ work: make(), place, stop, ended: false, error: null, endedAtMs: 0, askedAtMs, forgotten: false },
    };
    this.#jobs.set(key, job);
    job.work
      .run(AbortSignal.any([this.#stop.signal, stop.signal]), () => {
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

  /** Until that work has ended: a request of it may be under way when it is forgotten already. Then it is told to stop. */
  #isTaken(place: string): boolean {
    const there = [...this.#jobs.values()].find((job) => job.place === place && !job.ended);
    if (there !== undefined && this.#isForgotten(there)) there.stop.abort(new ForgottenError(this.#leaseMs));
    return there !== undefined;
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
