import {
  fenceStepTimes,
  nextStep,
  planOf,
  type Goal,
  type Json,
  type NextStep,
  type SagaPlan,
  type SagaRecord,
  type StepName,
} from '#failover';
import { rfc3339 } from '#platform';
import type { Alerting } from '../alerting/alerting.port.js';
import type { Decisions } from '../decision/decision.port.js';
import type { AgentGateway } from '../observation/observation.port.js';
import { LostLeadershipError, type AuthorityStore } from '../persistence/authority-store.port.js';
import type { Publishing } from '../publishing/publishing.port.js';
import { SagaAborts, type AbortAnswer } from './saga-abort.js';
import { CrashedHere, type CrashPoint } from './crash-point.js';
import { evidenceOf, SagaJournal, textOf, valueOf, withEntries, type NewEntry } from './saga-journal.js';
import type { GoalHandover } from './goal-handover.js';
import type { SagaGroup, SagaTimes } from './saga-options.js';
import type { RunHook } from './pre-hook.js';
import { SagaPointer } from './saga-pointer.js';
import { modeClock, type SagaTime } from './saga-time.js';
import { requestOf } from './saga-request.js';
import { watchSource, type Watch } from './source-watch.js';
import { askStore } from './store-patience.js';
import { failure } from './step-ended.js';
import { sagaAlert } from './steps/announce-failover.step.js';
import { closingAlert, sagaReport, settleGroup } from './steps/close-saga.step.js';
import { stepOf } from './steps/index.js';
import type { ModeClock, StepContext, StepResult } from './steps/step.js';

export type DriveDeps = Readonly<{
  store: AuthorityStore;
  publishing: Publishing;
  gateway: AgentGateway;
  handover: GoalHandover;
  decisions: Decisions;
  alerting: Alerting;
  time: SagaTime;
  crash: CrashPoint;
  times: SagaTimes;
  runHook: RunHook;
}>;

/** One leader's drive of one saga: until it is closed or this leader may not write any more. */
export type Drive = Readonly<{
  saga: SagaRecord;
  group: SagaGroup;
  term: number;
  holder: string;
  leading: AbortSignal;
  openForMs: () => number;
  onProgress: (saga: SagaRecord) => void;
}>;

type Ended = Readonly<{ entries: readonly NewEntry[]; result: StepResult | null }>;
type Act = Extract<NextStep, { kind: 'do' | 'undo' }>;

const MAX_TURNS = 10_000;
/** Sagas looked through for the one that made a switch. */
const HISTORY = 50;

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

  private intent(next: Act): NewEntry {
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
          const needsEpoch = entry.direction === 'undo' && this.undoEpoch() === null;
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

  /** Walking back has an epoch of its own, above the one that may have been published. */
  private undoEpoch(): number | null {
    const epochs = this.saga.journal
      .filter((e) => e.direction === 'undo' && e.event === 'intent')
      .map((e) => valueOf(e.evidence, 'epoch'));
    return epochs.find((e) => typeof e === 'number') ?? null;
  }

  private async execute(next: Act): Promise<Ended> {
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
      const result = await this.carryOut(next, this.context(next, signal), signal);
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

  private async carryOut(next: Act, ctx: StepContext, signal: AbortSignal): Promise<StepResult> {
    const step = stepOf(this.plan.kind, next.step);
    if (next.kind === 'do') return await step.run(ctx, signal);
    if (step.undo === undefined) throw new Error(`${next.step} has nothing to take back, but its plan says so`);
    return await step.undo(ctx, signal);
  }

  private context(next: Act, signal: AbortSignal): StepContext {
    const { store, gateway, publishing, decisions, time, times } = this.deps;
    const asked = <T>(ask: () => Promise<T>): Promise<T> =>
      askStore(ask, { time, retryMs: times.storeRetryMs }, signal);
    const { group, term } = this.drive;
    const saga = this.saga;
    const intent = saga.journal.findLast((e) => e.step === next.step && e.event === 'intent');
    return {
      saga,
      plan: this.plan,
      group,
      term,
      epoch: next.kind === 'undo' ? (this.undoEpoch() ?? saga.epoch) : saga.epoch,
      intentAt: intent?.at ?? saga.openedAt,
      incident: this.incident(),
      times,
      time,
      gateway,
      publishing,
      evaluate: () => decisions.evaluate(saga.group),
      setGoals: (goals) => asked(() => this.setGoals(goals)),
      ledger: async () => (await asked(() => store.ledger(saga.group))).filter((row) => row.epoch === saga.epoch),
      switches: () => asked(() => store.ledger(saga.group)),
      history: () => asked(() => store.sagas(saga.group, HISTORY)),
      goals: async () => (await asked(() => store.goals())).filter((goal) => goal.group === saga.group),
      request: requestOf(saga),
      note: (summary) => asked(() => this.note(next.step, summary)),
      modes: this.modes,
      runHook: this.deps.runHook,
    };
  }

  private incident(): string {
    return textOf(evidenceOf(this.saga, 'open'), 'incident') ?? this.saga.id;
  }

  private async setGoals(goals: readonly Goal[]): Promise<void> {
    const { store, handover } = this.deps;
    const { term, holder } = this.drive;
    await store.transact(term, holder, async (tx) => {
      for (const goal of goals) await tx.saveGoal(goal);
    });
    await handover.send(term);
  }

  private async note(step: StepName, summary: string): Promise<void> {
    const { store, time } = this.deps;
    const { term, holder } = this.drive;
    const { id, group, row, epoch } = this.saga;
    const detail = { saga: id, step };
    const event = { at: rfc3339(time.wallMs()), group, type: 'saga', row, summary, detail, term, epoch } as const;
    await store.transact(term, holder, (tx) => tx.appendEvent(event));
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
          const ctx = { saga, term: this.drive.term, incident: this.incident(), time };
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
