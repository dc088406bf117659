import type { SagaRecord } from '#failover';
import type { Leadership } from '../leadership/leadership.port.js';
import { LostLeadershipError, type AuthorityTx } from '../persistence/authority-store.port.js';
import { CrashedHere } from './crash-point.js';
import type { AbortAnswer } from './saga-abort.js';
import { SagaDrive } from './saga-drive.js';
import type { DriveDeps } from './step-context.js';
import { noteSaga } from './saga-note.js';
import type { SagaGroups, SagaOptions } from './saga-options.js';

export type SagaDeps = DriveDeps & Readonly<{ leadership: Leadership; log: SagaLog }>;
/** What the runner is given; the rest it makes itself. */
export type SagaRunnerDeps = Omit<SagaDeps, 'handover'>;

/** The part of a logger that is used here. */
export type SagaLog = Readonly<{
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}>;

type OpenSaga = Readonly<{ saga: SagaRecord; openForMs: number; atMs: number; drive: SagaDrive }>;
type Driven = Readonly<{ saga: SagaRecord; term: number; leading: AbortSignal }>;

/** The drives of one process: one per open saga and term, each from its claim to its close. */
export class SagaFleet {
  private readonly openSagas = new Map<string, OpenSaga>();
  private readonly drives = new Map<string, Promise<void>>();
  /** Sagas that have a driver here, or are getting one: a take-over and a tick must never launch two. */
  private readonly claimed = new Set<string>();
  private term = 0;

  constructor(
    private readonly deps: SagaDeps,
    private readonly options: SagaOptions,
    private readonly groups: SagaGroups,
  ) {}

  /** A new spell of leading begins: nothing of the old one is driven on here. */
  begin(term: number): void {
    this.term = term;
    this.openSagas.clear();
    this.claimed.clear();
  }

  async idle(): Promise<void> {
    while (this.drives.size > 0) await Promise.all(this.drives.values());
  }

  has(group: string): boolean {
    return this.openSagas.has(group);
  }

  open(group: string): Readonly<{ saga: SagaRecord; openForMs: number }> | null {
    const held = this.openSagas.get(group);
    return held === undefined ? null : { saga: held.saga, openForMs: this.openForMs(held) };
  }

  /** Null: no saga of that id is driven here. */
  async abort(id: string, reason: string): Promise<AbortAnswer | null> {
    const held = [...this.openSagas.values()].find((o) => o.saga.id === id);
    return held === undefined ? null : await held.drive.abort(reason);
  }

  async claim(saga: SagaRecord, term: number, signal: AbortSignal): Promise<void> {
    const { store, time, log } = this.deps;
    if (!this.groups.has(saga.group)) {
      log.error(
        { group: saga.group, saga: saga.id },
        'an open saga belongs to a group that is not configured: put it back',
      );
      return;
    }
    const key = driveKey(saga.id, term);
    if (this.claimed.has(key)) return;
    this.claimed.add(key);
    try {
      await store.transact(term, this.options.controller, async (tx) => {
        await tx.claimSaga(saga.id, term);
        await this.note(tx, { ...saga, term }, 'taken over');
      });
    } catch (error) {
      this.claimed.delete(key);
      throw error;
    }
    this.launch({ ...saga, term }, Math.max(0, time.wallMs() - Date.parse(saga.openedAt)), term, signal);
  }

  /** An opening commit whose answer was lost did arrive: that saga has no driver yet. */
  async adopt(group: string, term: number, signal: AbortSignal): Promise<void> {
    const open = (await this.deps.store.openSagas()).find((s) => s.group === group);
    if (open !== undefined) await this.claim(open, term, signal);
  }

  launch(saga: SagaRecord, openForMs: number, term: number, leading: AbortSignal): void {
    const group = this.groups.get(saga.group);
    if (group === undefined) return;
    this.claimed.add(driveKey(saga.id, term));
    const sinceMs = this.deps.time.monotonicMs();
    const age = (): number => openForMs + (this.deps.time.monotonicMs() - sinceMs);
    const drive: SagaDrive = new SagaDrive(this.deps, {
      saga,
      group,
      term,
      holder: this.options.controller,
      leading,
      openForMs: age,
      onProgress: (now) => this.progress({ saga: now, openForMs, atMs: sinceMs, drive }, term),
    });
    this.openSagas.set(saga.group, { saga, openForMs, atMs: sinceMs, drive });
    const key = driveKey(saga.id, term);
    this.drives.set(
      key,
      drive
        .run()
        .then((closed) => {
          this.drives.delete(key);
          this.deps.log.info({ saga: closed.id, group: closed.group, outcome: closed.outcome }, 'saga closed');
        })
        .catch((error: unknown) => this.driveEnded(drive, { saga, term, leading }, error)),
    );
  }

  private progress(held: OpenSaga, term: number): void {
    if (term !== this.term) return;
    if (held.saga.outcome === null) this.openSagas.set(held.saga.group, held);
    else this.openSagas.delete(held.saga.group);
  }

  /**
   * A drive that broke while this process still leads starts again from what the store holds, as a new leader would, and
   * for as long as it leads: a saga without a driver holds up every later rescue. If the lead is lost in truth and only not
   * noticed yet, the claim's own transaction says so and nothing is written.
   */
  private async driveEnded(drive: SagaDrive, of: Driven, error: unknown): Promise<void> {
    const { saga, term, leading } = of;
    const { log, time, times } = this.deps;
    this.drives.delete(driveKey(saga.id, term));
    this.claimed.delete(driveKey(saga.id, term));
    if (this.openSagas.get(saga.group)?.drive === drive) this.openSagas.delete(saga.group);
    drive.giveUp(error);
    if (error instanceof CrashedHere || leading.aborted) {
      log.warn({ saga: saga.id, term }, 'leadership was lost: the next leader goes on with the saga');
      return;
    }
    log.error({ saga: saga.id, term, error }, 'the drive of a saga broke: it starts again from the store');
    while (!leading.aborted) {
      try {
        await time.sleep(times.storeRetryMs, leading);
        await this.claimAgain(of);
        return;
      } catch (cause) {
        if (isPassing(cause) || leading.aborted) return; // another leader's now
        log.error({ saga: saga.id, term, error: cause }, 'an open saga has no driver: its claim is tried again');
      }
    }
  }

  private async claimAgain({ saga, term, leading }: Driven): Promise<void> {
    const stored = await this.deps.store.saga(saga.id);
    if (stored !== null && stored.outcome === null) await this.claim(stored, term, leading);
  }

  private note(tx: AuthorityTx, saga: SagaRecord, what: string): Promise<void> {
    return noteSaga(tx, saga, what, { wallMs: this.deps.time.wallMs(), holder: this.options.controller });
  }

  private openForMs(held: OpenSaga): number {
    return held.openForMs + (this.deps.time.monotonicMs() - held.atMs);
  }
}

/** A saga that this leader may not drive: somebody else is faster or newer. */
export const isPassing = (error: unknown): boolean =>
  error instanceof LostLeadershipError || error instanceof CrashedHere;

const driveKey = (saga: string, term: number): string => `${saga}@${term}`;
