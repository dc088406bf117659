import {
  fenceStepTimes,
  nextStep,
  planOf,
  type Json,
  type NextStep,
  type SagaPlan,
  type SagaRecord,
  type StepName,
} from '#failover';
import { rfc3339 } from '#platform';
import { LostLeadershipError } from '../persistence/authority-store.port.js';
import { SagaAborts, type AbortAnswer } from './saga-abort.js';
import { CrashedHere } from './crash-point.js';
import { incidentOf, SagaJournal, undoEpoch, withEntries, type NewEntry } from './saga-journal.js';
import { SagaPointer } from './saga-pointer.js';
import { modeClock } from './saga-time.js';
import { watchSource, type Watch } from './source-watch.js';
import { contextOf, type Drive, type DriveDeps, type StepAct } from './step-context.js';
import { failure } from './step-ended.js';
import { sagaAlert } from './steps/announce-failover.step.js';
import { closingAlert, sagaReport, settleGroup } from './steps/close-saga.step.js';
import { stepOf } from './steps/index.js';
import type { ModeClock, StepContext, StepResult } from './steps/step.js';

type Ended = Readonly<{ entries: readonly NewEntry[]; result: StepResult | null }>;

const MAX_TURNS = 10_000;

/** Load → next → intent → effect → look → evidence, again and again. The evidence of one step and the intent of the next are one commit. */
export class SagaDrive {
  private saga: SagaRecord;
  private readonly pointer: SagaPointer;
  private readonly aborts: SagaAborts;
  private readonly modes: ModeClock;
  private readonly journal: SagaJournal;
  private readonly plan: SagaPlan;

  constructor(
    private readonly deps: DriveDeps,
    private readonly drive: Drive,
  ) {
    const { store, time, times } = deps;
    this.saga = drive.saga;
    const { policy } = drive.group;
    const steps = drive.saga.kind === 'failover' ? fenceStepTimes(policy, times.steps) : times.steps;
    this.plan = planOf(drive.saga, policy.sagaMaxOpenMs, steps);
    this.modes = modeClock(time);
    this.aborts = new SagaAborts(this.plan, drive.leading, drive.term);
    this.pointer = new SagaPointer(deps, { ...drive, plan: this.plan, group: drive.saga.group });
    this.journal = new SagaJournal(store, time, times.storeRetryMs, drive.term, drive.holder, drive.leading);
  }

  /** The closed record. Throws {@link LostLeadershipError} when another leader has to go on. */
  async run(): Promise<SagaRecord> {
    let ended: Ended = { entries: [], result: null };
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      this.mustLead();
      const seen = withEntries(this.saga, ended.entries);
      const next = nextStep(this.plan, seen, await this.world(seen));
      if (next.kind === 'close') return await this.close(ended, next);
      if (next.kind === 'wait') {
        if (ended.entries.length > 0) await this.record(ended, []);
        ended = { entries: [], result: null };
        await this.rest();
        continue;
      }
      const repeated =
        next.kind === 'undo' && ended.entries.some((e) => e.event === 'failed' && e.direction === 'undo');
      await this.record(ended, [this.intent(next)]);
      if (repeated) await this.rest();
      ended = await this.execute(next);
    }
    throw new Error(`saga ${this.saga.id} took more than ${MAX_TURNS} turns: this is a fault of the next-step rule`);
  }

  /** Nobody goes on here: whoever waits for an answer to an abort asks again. */
  giveUp(error: unknown): void {
    this.aborts.giveUp(error);
  }

  /** Ends the saga by a person's wish; see {@link SagaAborts}. */
  async abort(reason: string): Promise<AbortAnswer> {
    return await this.aborts.ask(this.saga, reason);
  }

  private async world(saga: SagaRecord): Promise<Parameters<typeof nextStep>[2]> {
    const { term, openForMs } = this.drive;
    const pointer = await this.pointer.look(saga);
    return { pointer, term, openForMs: openForMs(), abort: this.aborts.pending() };
  }

  private intent(next: StepAct): NewEntry {
    const { step, deadlineMs } = next;
    const evidence: Json = next.kind === 'undo' ? { outcome: next.outcome, reason: next.reason } : null;
    return { ...this.stamp(step, next.kind), event: 'intent', deadlineMs, evidence };
  }

  private stamp(step: StepName, direction: 'do' | 'undo'): Pick<NewEntry, 'step' | 'direction' | 'term' | 'at'> {
    return { step, direction, term: this.drive.term, at: rfc3339(this.deps.time.wallMs()) };
  }

  private async record(ended: Ended, more: readonly NewEntry[]): Promise<void> {
    const also = ended.result?.commit;
    this.saga = await this.journal.commit(this.saga, {
      entries: async (tx) => {
        const reserved: NewEntry[] = [];
        for (const entry of more) {
          const needsEpoch = entry.direction === 'undo' && undoEpoch(this.saga) === null;
          if (!needsEpoch) reserved.push(entry);
          else
            reserved.push({
              ...entry,
              evidence: { ...fields(entry.evidence), epoch: await tx.reserveEpoch(this.saga.group, this.saga.epoch) },
            });
        }
        return [...ended.entries, ...reserved];
      },
      ...(also === undefined ? {} : { also: [also] }),
    });
    this.drive.onProgress(this.saga);
    this.aborts.answer(this.saga);
    this.deps.alerting.nudge();
  }

  private async execute(next: StepAct): Promise<Ended> {
    const { time, crash } = this.deps;
    this.mustLead();
    const deadline = time.deadline(next.deadlineMs);
    const abortable = next.kind === 'do' && this.phaseOf(next.step) === 'before';
    const watch = this.plan.needsSource && abortable ? this.watch() : null;
    const signal = AbortSignal.any([
      deadline.signal,
      this.drive.leading,
      ...(abortable ? [this.aborts.signal] : []),
      ...(watch === null ? [] : [watch.signal]),
    ]);
    try {
      if (next.kind === 'do') await crash('before', next.step);
      const { saga, plan, drive, modes } = this;
      const result = await this.carryOut(
        next,
        contextOf(this.deps, next, { saga, plan, drive, modes, signal }),
        signal,
      );
      if (next.kind === 'do') await crash('after', next.step);
      return {
        entries: [{ ...this.stamp(next.step, next.kind), event: 'done', deadlineMs: null, evidence: result.evidence }],
        result,
      };
    } catch (error) {
      this.mustLead();
      if (error instanceof LostLeadershipError || error instanceof CrashedHere) throw error;
      return {
        entries: [
          {
            ...this.stamp(next.step, next.kind),
            event: 'failed',
            deadlineMs: null,
            evidence: failure(next.step, (abortable ? this.aborts.cause() : null) ?? lossIn(watch) ?? error),
          },
        ],
        result: null,
      };
    } finally {
      deadline.stop();
      watch?.stop();
    }
  }

  private watch(): Watch {
    const { decisions, time, times } = this.deps;
    return watchSource({ decisions, time, everyMs: times.sourceWatchMs }, this.plan);
  }

  private phaseOf(name: StepName): string | undefined {
    return this.plan.steps.find((p) => p.step === name)?.phase;
  }

  private async carryOut(next: StepAct, ctx: StepContext, signal: AbortSignal): Promise<StepResult> {
    const step = stepOf(this.plan.kind, next.step);
    if (next.kind === 'do') return await step.run(ctx, signal);
    if (step.undo === undefined) throw new Error(`${next.step} has nothing to take back, but its plan says so`);
    return await step.undo(ctx, signal);
  }

  private async close(ended: Ended, next: Extract<NextStep, { kind: 'close' }>): Promise<SagaRecord> {
    const { time, times, crash, alerting } = this.deps;
    await crash('before', 'close');
    const wallMs = time.wallMs();
    const at = rfc3339(wallMs);
    const saga = withEntries(this.saga, ended.entries);
    const report = sagaReport(saga, next.outcome, next.reason, wallMs);
    const entry = this.stamp('close', 'do');
    const alert = closingAlert(next.outcome);
    this.saga = await this.journal.commit(this.saga, {
      entries: async () => [
        ...ended.entries,
        { ...entry, event: 'intent', deadlineMs: null, evidence: null },
        { ...entry, event: 'done', deadlineMs: null, evidence: report },
      ],
      also: [
        ...(ended.result?.commit === undefined ? [] : [ended.result.commit]),
        (tx) =>
          settleGroup(tx, saga, { outcome: next.outcome, at, freeze: next.freeze, retryMemoryMs: times.retryMemoryMs }),
        (tx) => tx.closeSaga(saga.id, next.outcome, at),
        async (tx) => {
          if (alert === null) return;
          const ctx = { saga, term: this.drive.term, incident: incidentOf(saga), time };
          await tx.enqueueAlert(sagaAlert(ctx, alert, `${next.outcome}: ${next.reason}`));
        },
      ],
    });
    this.saga = { ...this.saga, outcome: next.outcome, closedAt: at };
    this.drive.onProgress(this.saga);
    this.aborts.answer(this.saga);
    alerting.nudge();
    await crash('after', 'close');
    return this.saga;
  }

  private async rest(): Promise<void> {
    try {
      await this.deps.time.sleep(this.deps.times.pollMs, this.drive.leading);
    } catch (cause) {
      this.mustLead();
      throw cause;
    }
  }

  private mustLead(): void {
    if (this.drive.leading.aborted) throw new LostLeadershipError(this.drive.term);
  }
}

const lossIn = (watch: Watch | null): unknown => (watch?.signal.aborted ? watch.signal.reason : null);

const fields = (evidence: Json): { readonly [key: string]: Json } =>
  evidence !== null && typeof evidence === 'object' && !Array.isArray(evidence)
    ? Object.fromEntries(Object.entries(evidence))
    : {};
