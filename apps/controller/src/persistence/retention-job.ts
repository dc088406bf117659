import { rfc3339 } from '#platform';
import type { Leadership, LeadershipView } from '../leadership/leadership.port.js';
import type { AuthorityStore } from './authority-store.port.js';
import { type Forgotten, forgottenTotal } from './retention.port.js';

export type RetentionOptions = Readonly<{
  controller: string;
  keepMs: () => number; // age above which rows may go
  everyMs: number; // between two sweeps
  pauseMs: number; // between two batches of a sweep: a batch holds the lease row's lock, so others get in between
  batch: number; // rows of each kind in one transaction
}>;

export const RETENTION_DEFAULTS = { everyMs: 3_600_000, pauseMs: 1_000, batch: 500 } as const;

export type RetentionTime = Readonly<{ wallMs(): number; sleep(ms: number, signal: AbortSignal): Promise<void> }>;

type Deps = Readonly<{
  store: AuthorityStore;
  leadership: Leadership;
  time: RetentionTime;
  log: Readonly<{ info(fields: object, message: string): void; warn(fields: object, message: string): void }>;
}>;

/**
 * The leader's sweep over what the store need not keep. Bounded: small batches with a pause, none while a saga is open,
 * because nothing that can wait competes with a switch for the lease row. Each batch that removes something says so in
 * the audit, in the same transaction.
 */
export class RetentionJob {
  private unsubscribe: () => void = () => undefined;
  private readonly stopping = new AbortController();
  private term = 0;
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly deps: Deps,
    private readonly options: RetentionOptions,
  ) {}

  begin(): void {
    this.unsubscribe = this.deps.leadership.onChange((view) => this.onLeadership(view));
    this.onLeadership(this.deps.leadership.current());
  }

  async end(): Promise<void> {
    this.unsubscribe();
    this.stopping.abort(new Error('this controller stops'));
    await this.loop;
  }

  private onLeadership(view: LeadershipView): void {
    if (!view.leading || view.signal === null || view.term === this.term) return;
    this.term = view.term;
    this.loop = this.run(view.term, AbortSignal.any([view.signal, this.stopping.signal]));
  }

  /** Ends with the leadership. The first sweep waits a whole interval: a new leader has better things to do. */
  private async run(term: number, signal: AbortSignal): Promise<void> {
    const { time, log } = this.deps;
    const { everyMs, pauseMs } = this.options;
    let waitMs = everyMs;
    for (;;) {
      try {
        await time.sleep(waitMs, signal);
      } catch {
        return; // only the signal ends a sleep
      }
      try {
        waitMs = (await this.sweepOnce(term)) ? pauseMs : everyMs;
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ error }, 'old rows of the store could not be removed: tried again later');
        waitMs = everyMs;
      }
    }
  }

  /** One batch; true if there may be more. */
  private async sweepOnce(term: number): Promise<boolean> {
    const { store, time, log } = this.deps;
    const { batch, controller, keepMs } = this.options;
    if ((await store.openSagas()).length > 0) return false;
    const nowMs = time.wallMs();
    const before = rfc3339(nowMs - keepMs());
    const forgotten = await store.transact(term, controller, async (tx) => {
      const removed = await tx.forget(before, batch);
      if (forgottenTotal(removed) > 0) {
        await tx.appendAudit({
          ...{ at: rfc3339(nowMs), actor: `controller:${controller}`, action: 'retention', group: null, epoch: null },
          ...{ reason: `older than ${before}`, detail: removed, term },
        });
      }
      return removed;
    });
    if (forgottenTotal(forgotten) > 0) log.info({ before, ...forgotten }, 'old rows of the store were removed');
    return isFull(forgotten, batch);
  }
}

const isFull = (removed: Forgotten, batch: number): boolean => Object.values(removed).some((n) => n >= batch);
