import type { Clock } from '#platform';
import type { AuthorityStore, LeaseHolder, LeaseRow } from '../persistence/authority-store.port.js';
import type { Leadership, LeadershipView } from './leadership.port.js';
import type { LeaseTimings } from './lease-timings.js';
import { RETRY_JITTER, compileTimings } from './lease-timings.js';
import { LeaseWatch } from './lease-watch.js';
import { StallDetector } from './stall-detector.js';
import type { Timers } from './timers.port.js';

export type LeaseLoopOptions = Readonly<{
  store: Pick<AuthorityStore, 'readLease' | 'acquireLease' | 'renewLease' | 'releaseLease' | 'raiseTerm'>;
  me: LeaseHolder;
  timings: LeaseTimings;
  clock: Pick<Clock, 'monotonicMs'>;
  timers: Timers;
  random: () => number; // 0 to below 1, spreads the retries
  /** Told of every failed round (the store is away) and of listeners that threw. The loop goes on. */
  onError: (error: unknown) => void;
}>;

type Held = Readonly<{ row: LeaseRow; deadlineMs: number }>;

/** Beats per renew deadline, and the share of it that may pass without one (I4: above a quarter it renews first). */
const BEATS = 16;
const ALLOWED_STALL = 1 / 4;
/** Far above any real term, far below where numbers lose digits: one wrong agent must not use up all terms. */
const MAX_TERM = 2 ** 52;
/** A candidate looks again no sooner than this, however near the end of the ttl is. */
const MIN_WAIT_MS = 10;

/**
 * Holds, takes and gives up the lease (I4). Each spell of leading has a term of its own, whoever led before.
 * Guaranteed: `leading` is true only within the renew deadline of a renewal that succeeded, counted on this process's
 * monotonic clock from before it was sent; that is earlier than any candidate, which waits for the longer ttl, can lead.
 * NOT guaranteed: that an effect begun in time also ends in time (effects carry the term for that), nor anything while
 * clocks of two machines run at rates that differ by more than ttl to renew deadline, or after a machine was suspended:
 * then the store's guard, the agents and the config center still refuse the older term.
 */
export class LeaseLoop implements Leadership {
  private readonly timings: LeaseTimings;
  private readonly watch = new LeaseWatch();
  private readonly stall: StallDetector;
  private readonly listeners = new Set<(view: LeadershipView) => void>();
  private held: Held | null = null;
  private aborter: AbortController | null = null;
  private heard = 0;
  private highest = 0; // of all rows ever seen here: a store that lost its last transactions shows a lower one
  private view: LeadershipView;
  private started = false;
  private stopping = false;
  private round: Promise<void> | null = null;
  private again = false;
  private cancelNext = NOTHING;
  private cancelBeat = NOTHING;
  private cancelDeadline = NOTHING;

  constructor(private readonly options: LeaseLoopOptions) {
    this.timings = compileTimings(options.timings);
    this.stall = new StallDetector(this.nowMs(), this.timings.renewDeadlineMs * ALLOWED_STALL);
    this.view = { me: options.me.id, term: 0, leader: null, leading: false, signal: null };
  }

  start(): void {
    if (this.started) return;
    this.started = true;
    this.stall.look(this.nowMs());
    this.beat();
    this.wake();
  }

  /** Planned stop: leads no more from this instant, then frees the lease so that the next leader need not wait. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.cancelNext();
    this.cancelBeat();
    this.cancelDeadline();
    this.refresh();
    await this.round;
    const held = this.held;
    this.held = null;
    if (!held) return;
    try {
      await this.bounded(this.options.store.releaseLease(held.row.term, this.options.me));
    } catch (error) {
      this.options.onError(error); // the others wait for the ttl instead
    }
  }

  current(): LeadershipView {
    this.refresh();
    return this.view;
  }

  onChange(listener: (view: LeadershipView) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  heardTerm(term: number): void {
    if (!Number.isSafeInteger(term) || term > MAX_TERM) {
      this.options.onError(new RangeError(`a term of ${term} was heard and ignored: find out who sends it`));
      return;
    }
    if (term <= this.knownTerm()) return;
    this.heard = term;
    this.refresh();
    this.wake();
  }

  // ---- rounds: one at a time, each either renews or stands ----

  private wake(): void {
    if (!this.started || this.stopping) return;
    if (this.round) {
      this.again = true;
      return;
    }
    this.cancelNext();
    this.round = this.oneRound()
      .catch((error: unknown) => {
        this.options.onError(error);
        return this.retryMs();
      })
      .then((waitMs) => {
        this.round = null;
        if (this.stopping) return;
        const now = this.again;
        this.again = false;
        this.cancelNext = this.options.timers.after(now ? 0 : waitMs, () => this.wake());
      });
  }

  /** The time to wait for the next one. */
  private async oneRound(): Promise<number> {
    if (this.heard > (this.held?.row.term ?? this.watch.row?.term ?? 0)) await this.raise();
    if (this.held) await this.renew();
    if (!this.held) return this.stand();
    return this.retryMs();
  }

  private async renew(): Promise<void> {
    const held = this.held;
    if (!held) return;
    const sentAtMs = this.nowMs();
    const row = await this.bounded(this.options.store.renewLease(held.row.term, this.options.me));
    this.refresh();
    if (row) this.compare(row);
    if (!row) this.drop(held);
    else if (this.aborter !== null || this.heard > row.term) this.hold(row, sentAtMs);
    else await this.takeAgain(row);
  }

  /**
   * The lease was kept but its deadline passed: that spell is over, and whoever followed it has stopped. What it began
   * may still be on its way, so the next spell has a term of its own, which every listener takes over from the store.
   */
  private async takeAgain(row: LeaseRow): Promise<void> {
    this.watch.remember(row);
    this.held = null;
    if (this.stopping) return;
    const sentAtMs = this.nowMs();
    const taken = await this.bounded(this.options.store.acquireLease(row, this.options.me));
    if (taken) this.hold(taken, sentAtMs);
  }

  /** I3: puts the row above a term that somebody has seen, before anything is done under it. */
  private async raise(): Promise<void> {
    if (this.held) this.drop(this.held);
    const sentAtMs = this.nowMs();
    const row = await this.bounded(this.options.store.raiseTerm(this.heard));
    this.watch.observe(row, sentAtMs, this.nowMs());
    this.refresh();
  }

  private async stand(): Promise<number> {
    const { store, me } = this.options;
    const readAtMs = this.nowMs();
    const row = await this.bounded(store.readLease());
    this.watch.observe(row, readAtMs, this.nowMs());
    this.compare(row);
    this.refresh();
    if (this.heard > row.term || this.stopping) return MIN_WAIT_MS; // raise first
    if (!this.watch.mayTake(this.timings.ttlMs)) return this.untilTakeable();
    const sentAtMs = this.nowMs();
    const taken = await this.bounded(store.acquireLease(row, me));
    if (taken) this.hold(taken, sentAtMs);
    return this.retryMs();
  }

  private hold(row: LeaseRow, sentAtMs: number): void {
    this.compare(row);
    const deadlineMs = sentAtMs + this.timings.renewDeadlineMs;
    this.held = { row, deadlineMs };
    this.watch.observe(row, sentAtMs, this.nowMs());
    this.stall.look(this.nowMs());
    this.stall.renewed(sentAtMs);
    this.cancelDeadline();
    this.cancelDeadline = this.options.timers.after(Math.max(0, deadlineMs - this.nowMs()), () => this.refresh());
    this.refresh();
    if (this.stall.stalled) this.again = true;
  }

  /** I3: no term is ever used twice, also not after the store came back with an earlier one. */
  private compare(row: LeaseRow): void {
    if (row.term < this.highest) this.heard = Math.max(this.heard, this.highest);
    this.highest = Math.max(this.highest, row.term);
  }

  private drop(held: Held): void {
    this.held = null;
    this.watch.remember(held.row);
    this.refresh();
  }

  // ---- what others see ----

  private beat(): void {
    if (this.stopping) return;
    this.refresh();
    this.cancelBeat = this.options.timers.after(this.timings.renewDeadlineMs / BEATS, () => this.beat());
  }

  /** Compares with the clock and tells of a change. Cheap: called on every read. */
  private refresh(): void {
    const nowMs = this.nowMs();
    const wasStalled = this.stall.stalled;
    this.stall.look(nowMs);
    if (this.stall.stalled && !wasStalled && this.held) this.wake();
    const holding = this.isHolding(nowMs);
    if (holding) this.aborter ??= new AbortController();
    else this.abort();
    // A stall alone does not abort what runs: nothing was lost. It only starts nothing before the next renewal.
    const leading = holding && !this.stall.stalled;
    const next: LeadershipView = {
      me: this.options.me.id,
      term: this.knownTerm(),
      leader: leading ? this.options.me : this.leaderElsewhere(nowMs),
      leading,
      signal: leading ? (this.aborter?.signal ?? null) : null,
    };
    const changed = next.leading !== this.view.leading || next.term !== this.view.term;
    this.view = Object.freeze(next);
    if (changed) this.tell(next);
  }

  private isHolding(nowMs: number): boolean {
    const { held } = this;
    return held !== null && !this.stopping && nowMs < held.deadlineMs && this.heard <= held.row.term;
  }

  private abort(): void {
    const aborter = this.aborter;
    this.aborter = null;
    aborter?.abort(new Error(`${this.options.me.id} does not lead any more`));
  }

  private leaderElsewhere(nowMs: number): LeadershipView['leader'] {
    const row = this.watch.row;
    if (!row?.holder || row.holder === this.options.me.id || !this.watch.isFresh(nowMs, this.timings.ttlMs))
      return null;
    return { id: row.holder, advertise: row.advertise ?? '' };
  }

  private tell(view: LeadershipView): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(view);
      } catch (error) {
        this.options.onError(error);
      }
    }
  }

  // ---- small things ----

  private knownTerm(): number {
    return Math.max(this.heard, this.held?.row.term ?? 0, this.watch.row?.term ?? 0);
  }

  private nowMs(): number {
    return this.options.clock.monotonicMs();
  }

  private retryMs(): number {
    return this.timings.retryMs * (1 + RETRY_JITTER * this.options.random());
  }

  private untilTakeable(): number {
    const atMs = this.watch.takeableAtMs(this.timings.ttlMs);
    const leftMs = atMs === null ? Infinity : atMs - this.nowMs();
    return Math.min(this.retryMs(), Math.max(MIN_WAIT_MS, Math.ceil(leftMs)));
  }

  /** No round waits longer than the renew deadline; a later answer of the store is dropped, which is safe: the row says it all. */
  private bounded<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const limitMs = this.timings.renewDeadlineMs;
      const cancel = this.options.timers.after(limitMs, () =>
        reject(new Error(`the authority store did not answer within ${limitMs} ms: check the database`)),
      );
      answer.finally(cancel).then(resolve, reject);
    });
  }
}

const NOTHING = (): void => undefined;
