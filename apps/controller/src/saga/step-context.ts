import type { Goal, NextStep, SagaPlan, SagaRecord, StepName } from '#failover';
import { rfc3339 } from '#platform';
import type { Alerting } from '../alerting/alerting.port.js';
import type { Decisions } from '../decision/decision.port.js';
import type { AgentGateway } from '../observation/observation.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import type { Publishing } from '../publishing/publishing.port.js';
import type { CrashPoint } from './crash-point.js';
import type { GoalHandover } from './goal-handover.js';
import type { RunHook } from './pre-hook.js';
import { presentSwitch } from './present-switch.js';
import { incidentOf, undoEpoch } from './saga-journal.js';
import type { SagaGroup, SagaTimes } from './saga-options.js';
import { requestOf } from './saga-request.js';
import type { SagaTime } from './saga-time.js';
import type { ModeClock, StepContext } from './steps/step.js';
import { askStore } from './store-patience.js';

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

/** Sagas looked through for the one that made a switch. */
const HISTORY = 50;

export type StepAct = Extract<NextStep, { kind: 'do' | 'undo' }>;

type Of = Readonly<{ saga: SagaRecord; plan: SagaPlan; drive: Drive; modes: ModeClock; signal: AbortSignal }>;

/** What a step may see and do. Whatever it asks the store is asked again until `signal` ends the step. */
export function contextOf(deps: DriveDeps, next: StepAct, { saga, plan, drive, modes, signal }: Of): StepContext {
  const { store, gateway, publishing, decisions, time, times, runHook } = deps;
  const asked = <T>(ask: () => Promise<T>): Promise<T> => askStore(ask, { time, retryMs: times.storeRetryMs }, signal);
  const { group, term } = drive;
  const standing = { group: saga.group, active: saga.source, epoch: saga.fromEpoch };
  const intent = saga.journal.findLast((e) => e.step === next.step && e.event === 'intent');
  return {
    saga,
    plan,
    group,
    term,
    epoch: next.kind === 'undo' ? (undoEpoch(saga) ?? saga.epoch) : saga.epoch,
    intentAt: intent?.at ?? saga.openedAt,
    incident: incidentOf(saga),
    times,
    time,
    gateway,
    publishing,
    evaluate: () => decisions.evaluate(saga.group),
    setGoals: (goals) => asked(() => setGoals(deps, drive, goals)),
    ledger: () => asked(() => store.ledger(saga.group, saga.epoch)),
    switches: () => asked(() => store.lastSwitch(saga.group, { from: saga.target })),
    switchAway: () => asked(() => presentSwitch(store, standing, saga.target)),
    history: () => asked(() => store.sagas(saga.group, HISTORY)),
    goals: async () => (await asked(() => store.goals())).filter((goal) => goal.group === saga.group),
    request: requestOf(saga),
    note: (summary) => asked(() => note(deps, drive, saga, next.step, summary)),
    modes,
    runHook,
  };
}

async function setGoals(
  { store, handover }: DriveDeps,
  { term, holder }: Drive,
  goals: readonly Goal[],
): Promise<void> {
  await store.transact(term, holder, async (tx) => {
    for (const goal of goals) await tx.saveGoal(goal);
  });
  await handover.send(term);
}

async function note(
  { store, time }: DriveDeps,
  { term, holder }: Drive,
  { id, group, row, epoch }: SagaRecord,
  step: StepName,
  summary: string,
): Promise<void> {
  const detail = { saga: id, step };
  const event = { at: rfc3339(time.wallMs()), group, type: 'saga', row, summary, detail, term, epoch } as const;
  await store.transact(term, holder, (tx) => tx.appendEvent(event));
}
