import type { Decision, SagaRecord, Snapshot } from '#failover';
import { rfc3339 } from '#platform';
import type { Leadership, LeadershipView } from '../leadership/leadership.port.js';
import { LostLeadershipError, OpenSagaExistsError } from '../persistence/authority-store.port.js';
import { CrashedHere } from './crash-point.js';
import { SagaDrive, type DriveDeps } from './saga-drive.js';
import { evidenceOf, textOf } from './saga-journal.js';
import type { SagaGroup, SagaOptions } from './saga-options.js';
import type { SagaDriver } from './saga.port.js';
import { confirmFailover, type Evaluation } from './steps/confirm-failover.step.js';
import { openSaga, StaleGroupError } from './steps/open-saga.step.js';
import { stopLoop } from './stop-loop.js';
import { unfenceActive } from './unfence-active.js';

export type SagaRunnerDeps = DriveDeps & Readonly<{ leadership: Leadership; log: SagaLog }>;

/** The part of a logger that is used here. */
export type SagaLog = Readonly<{
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}>;

type OpenSaga = Readonly<{ saga: SagaRecord; openForMs: number; atMs: number }>;

/**
 * Opens sagas for acting decisions and drives open ones while this process leads. At take-over the goals go to the
 * agents first (they stay true whoever leads), then every open saga is claimed with the new term and driven on.
 */
export class SagaRunner implements SagaDriver {
  private readonly openSagas = new Map<string, OpenSaga>();
  private readonly drives = new Map<string, Promise<void>>();
  private readonly starting = new Set<string>();
  /** Sagas that have a driver here, or are getting one: a take-over and a tick must never launch two. */
  private readonly claimed = new Set<string>();
  private readonly groups: ReadonlyMap<string, SagaGroup>;
  private takenTerm = 0;
  private takeover: Promise<void> = Promise.resolve();
  private unsubscribe: () => void = () => undefined;
  private readonly stopping = new AbortController();

  constructor(
    private readonly deps: SagaRunnerDeps,
    private readonly options: SagaOptions,
  ) {
    this.groups = new Map(options.groups.map((g) => [g.name, g]));
  }

  /** Begins to follow leadership. */
  begin(): void {
    this.unsubscribe = this.deps.leadership.onChange((view) => this.onLeadership(view));
    this.onLeadership(this.deps.leadership.current());
  }

  /** A planned stop: running steps are cancelled where they are, and the next leader goes on from there. */
  async end(): Promise<void> {
    this.unsubscribe();
    this.stopping.abort(new Error('this controller stops'));
    await this.idle();
  }

  /** Resolves when the newest take-over has launched every open saga (or this process lost the lead over it). */
  async takenOver(): Promise<void> {
    await this.takeover;
  }

  /** Resolves when nothing runs any more: for shutdown after leadership was given up, and for tests. */
  async idle(): Promise<void> {
    await this.takeover;
    while (this.drives.size > 0) await Promise.all(this.drives.values());
  }

  open(group: string): Readonly<{ saga: SagaRecord; openForMs: number }> | null {
    const held = this.openSagas.get(group);
    return held === undefined ? null : { saga: held.saga, openForMs: this.openForMs(held) };
  }

  async start(snapshot: Snapshot, decision: Decision): Promise<void> {
    const view = this.deps.leadership.current();
    const group = this.groups.get(snapshot.group.name);
    if (!view.leading || view.signal === null || group === undefined || view.term !== this.takenTerm) return;
    const leading = AbortSignal.any([view.signal, this.stopping.signal]);
    if (this.starting.has(group.name) || this.openSagas.has(group.name)) return;
    this.starting.add(group.name);
    try {
      const saga = await this.confirmAndOpen({ snapshot, decision }, group, view.term);
      if (saga !== null) this.launch(saga, 0, view.term, leading);
    } catch (error) {
      if (error instanceof CrashedHere) return;
      if (error instanceof OpenSagaExistsError) await this.adopt(group.name, view.term, leading);
      else if (error instanceof LostLeadershipError || error instanceof StaleGroupError) {
        this.deps.log.warn({ group: group.name, error }, 'failover was not opened');
      } else throw error;
    } finally {
      this.starting.delete(group.name);
    }
  }

  async unfenceActive(snapshot: Snapshot, decision: Decision): Promise<void> {
    const view = this.deps.leadership.current();
    const group = this.groups.get(snapshot.group.name);
    if (!view.leading || group === undefined || view.term !== this.takenTerm || this.openSagas.has(group.name)) return;
    const { store, gateway, time } = this.deps;
    await unfenceActive(
      { store, gateway, wallMs: time.wallMs(), holder: this.options.controller, term: view.term },
      group,
      {
        snapshot,
        decision,
      },
    );
  }

  async stopLoop(snapshot: Snapshot, decision: Decision): Promise<void> {
    const view = this.deps.leadership.current();
    const group = this.groups.get(snapshot.group.name);
    const { term, signal } = view;
    if (!view.leading || signal === null || group === undefined || term !== this.takenTerm) return;
    if (this.openSagas.has(group.name) || this.starting.has(group.name)) return;
    const leading = AbortSignal.any([signal, this.stopping.signal]);
    await stopLoop({ ...this.deps, holder: this.options.controller, term, leading }, group, { snapshot, decision });
  }

  private async confirmAndOpen(asked: Evaluation, group: SagaGroup, term: number): Promise<SagaRecord | null> {
    const { crash, store, decisions, time } = this.deps;
    await crash('before', 'confirm');
    const evaluation = decisions.evaluate(group.name);
    const confirmed = confirmFailover(asked, evaluation);
    const { target } = evaluation.decision;
    await crash('after', 'confirm');
    if (!confirmed.ok || target === null) {
      const reason = confirmed.ok ? 'no target' : confirmed.reason;
      await this.recordNotConfirmed(asked, group.name, reason, term);
      return null;
    }
    await crash('before', 'open');
    const wallMs = time.wallMs();
    const incident = decisions.failoverIncident(group.name);
    const saga = await store.transact(term, this.options.controller, async (tx) => {
      const opened = await openSaga(tx, { term, wallMs, evaluation, target, incident });
      await this.note(tx, opened, 'opened');
      return opened;
    });
    await crash('after', 'open');
    return saga;
  }

  /** Nothing was opened, so nothing counts as an attempt; the event says why the decision did not stand. */
  private async recordNotConfirmed(asked: Evaluation, group: string, reason: string, term: number): Promise<void> {
    const { store, time } = this.deps;
    const at = rfc3339(time.wallMs());
    const { row } = asked.decision;
    const { epoch } = asked.snapshot.group;
    await store.transact(term, this.options.controller, async (tx) => {
      const summary = `NOT_CONFIRMED: ${reason}`;
      await tx.appendEvent({
        at,
        group,
        type: 'saga',
        row,
        summary,
        detail: { outcome: 'NOT_CONFIRMED', reason },
        term,
        epoch,
      });
      const actor = `controller:${this.options.controller}`;
      await tx.appendAudit({ at, actor, action: 'saga NOT_CONFIRMED', group, reason, detail: { row }, term, epoch });
    });
  }

  private async note(
    tx: Parameters<Parameters<SagaRunnerDeps['store']['transact']>[2]>[0],
    saga: SagaRecord,
    what: string,
  ): Promise<void> {
    const at = rfc3339(this.deps.time.wallMs());
    const { group, row, epoch, source, target, term } = saga;
    const summary = `failover ${source} → ${target}: ${what}`;
    const detail = {
      saga: saga.id,
      incident: textOf(evidenceOf(saga, 'open'), 'incident'),
      opening: saga.journal.findLast((e) => e.step === 'open')?.evidence ?? null,
    };
    await tx.appendEvent({ at, group, type: 'saga', row, summary, detail, term, epoch });
    const actor = `controller:${this.options.controller}`;
    await tx.appendAudit({ at, actor, action: `saga ${what}`, group, reason: summary, detail, term, epoch });
  }

  private onLeadership(view: LeadershipView): void {
    if (!view.leading || view.signal === null || view.term === this.takenTerm) return;
    const { term } = view;
    const signal = AbortSignal.any([view.signal, this.stopping.signal]);
    this.takenTerm = term;
    this.openSagas.clear();
    this.claimed.clear();
    this.takeover = this.takeOver(term, signal).catch((error: unknown) => {
      if (!signal.aborted) this.deps.log.error({ term, error }, 'take-over of sagas failed');
    });
  }

  /** Retried while this process leads: a store that restarts must not leave goals unsent or a saga without a driver. */
  private async takeOver(term: number, signal: AbortSignal): Promise<void> {
    const { store, gateway, time, times, log } = this.deps;
    for (let attempt = 1; attempt <= TAKE_OVER_ATTEMPTS && !signal.aborted; attempt++) {
      try {
        gateway.setGoals(term, await store.goals());
        for (const saga of await store.openSagas()) await this.claim(saga, term, signal);
        return;
      } catch (error) {
        if (error instanceof LostLeadershipError || error instanceof CrashedHere) return;
        log.warn({ term, attempt, error }, 'take-over of sagas will be tried again');
        await time.sleep(times.storeRetryMs, signal);
      }
    }
  }

  private async claim(saga: SagaRecord, term: number, signal: AbortSignal): Promise<void> {
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
  private async adopt(group: string, term: number, signal: AbortSignal): Promise<void> {
    const open = (await this.deps.store.openSagas()).find((s) => s.group === group);
    if (open !== undefined) await this.claim(open, term, signal);
  }

  private launch(saga: SagaRecord, openForMs: number, term: number, leading: AbortSignal): void {
    const group = this.groups.get(saga.group);
    if (group === undefined) return;
    this.claimed.add(driveKey(saga.id, term));
    const base = { saga, openForMs, atMs: this.deps.time.monotonicMs() };
    this.openSagas.set(saga.group, base);
    const drive = new SagaDrive(this.deps, {
      saga,
      group,
      term,
      holder: this.options.controller,
      leading,
      openForMs: () => this.openForMs(base),
      onProgress: (now) => this.progress(base, now, term),
    });
    const key = driveKey(saga.id, term);
    this.drives.set(
      key,
      drive
        .run()
        .then((closed) => {
          this.drives.delete(key);
          this.deps.log.info({ saga: closed.id, group: closed.group, outcome: closed.outcome }, 'saga closed');
        })
        .catch((error: unknown) => this.driveEnded(saga, term, leading, error)),
    );
  }

  private progress(base: OpenSaga, saga: SagaRecord, term: number): void {
    if (term !== this.takenTerm) return;
    if (saga.outcome === null) this.openSagas.set(saga.group, { ...base, saga });
    else this.openSagas.delete(saga.group);
  }

  /**
   * A drive that broke while this process still leads starts again from what the store holds, as a new leader would. If
   * the lead is lost in truth and only not noticed yet, the claim's own transaction says so and nothing is written.
   */
  private async driveEnded(saga: SagaRecord, term: number, leading: AbortSignal, error: unknown): Promise<void> {
    const { log, time, times, store } = this.deps;
    this.drives.delete(driveKey(saga.id, term));
    this.claimed.delete(driveKey(saga.id, term));
    if (error instanceof CrashedHere || leading.aborted) {
      log.warn({ saga: saga.id, term }, 'leadership was lost: the next leader goes on with the saga');
      return;
    }
    log.error({ saga: saga.id, term, error }, 'the drive of a saga broke: it starts again from the store');
    try {
      await time.sleep(times.storeRetryMs, leading);
      const stored = await store.saga(saga.id);
      if (stored !== null && stored.outcome === null) await this.claim(stored, term, leading);
    } catch (cause) {
      log.error({ saga: saga.id, term, error: cause }, 'the saga stays open without a driver until the next take-over');
    }
  }

  private openForMs(held: OpenSaga): number {
    return held.openForMs + (this.deps.time.monotonicMs() - held.atMs);
  }
}

const TAKE_OVER_ATTEMPTS = 10_000;

const driveKey = (saga: string, term: number): string => `${saga}@${term}`;
