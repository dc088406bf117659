import type {
  Decision,
  Goal,
  Json,
  SagaOutcome,
  SagaPlan,
  SagaRecord,
  SagaRequest,
  Snapshot,
  StepName,
} from '#failover';
import type { AgentGateway } from '../../observation/observation.port.js';
import type { AuthorityTx, LedgerRow } from '../../persistence/authority-store.port.js';
import type { Publishing } from '../../publishing/publishing.port.js';
import type { RunHook } from '../pre-hook.js';
import type { Switch } from '../present-switch.js';
import type { SagaGroup, SagaTimes } from '../saga-options.js';
import type { SagaTime } from '../saga-time.js';

/** What a step saw in the world, and what must be written in the same transaction as that evidence. */
export type StepResult = Readonly<{ evidence: Json; commit?: (tx: AuthorityTx) => Promise<void>; after?: () => void }>;

/** One effect. Running it twice has the effect of once (I23); it stops within one tick of `signal` (I6). */
export interface Step {
  readonly name: StepName;
  /** Does it and looks whether it is true. Throws {@link StepFailure} when it is not, before the deadline or at it. */
  run(ctx: StepContext, signal: AbortSignal): Promise<StepResult>;
  /** Takes it back. What cannot be reached is left as a goal and said in the evidence: it never throws for that. */
  undo?(ctx: StepContext, signal: AbortSignal): Promise<StepResult>;
}

/** One kind's steps, by name. */
export type StepSet = Readonly<Partial<Record<StepName, Step>>>;

export type StepContext = Readonly<{
  saga: SagaRecord;
  plan: SagaPlan;
  group: SagaGroup;
  term: number;
  /** Of goals and commands: the saga's own, or the higher one reserved for walking back. */
  epoch: number;
  /** When this attempt's intent was written, RFC 3339: a publication repeated within it is the same publication. */
  intentAt: string;
  incident: string;
  times: SagaTimes;
  time: SagaTime;
  gateway: AgentGateway;
  publishing: Publishing;
  evaluate(): Readonly<{ snapshot: Snapshot; decision: Decision }>;
  /** Stores the goals, then hands the whole set to the agents. */
  setGoals(goals: readonly Goal[]): Promise<void>;
  /** Ledger rows of this saga's epoch; empty before freeze-position. */
  ledger(): Promise<readonly LedgerRow[]>;
  /** Ledger rows of the newest switch that left this saga's target, wherever it led; empty: it was never left. */
  switches(): Promise<readonly LedgerRow[]>;
  /** The switch that made this saga's source active, if it left this saga's target; null: no ledger holds one. */
  switchAway(): Promise<Switch | null>;
  /** The group's last sagas, newest first. */
  history(): Promise<readonly SagaRecord[]>;
  /** Goals of the group as stored: what this saga, or one before it, has set. */
  goals(): Promise<readonly Goal[]>;
  /** Null: nobody asked, the matrix did. */
  request: SagaRequest | null;
  /** Says how far a long step is, as an event. Bounded by the caller: never more than once in some seconds. */
  note(summary: string): Promise<void>;
  modes: ModeClock;
  runHook: RunHook;
}>;

/**
 * How long what clients were told still binds them, on this process's own clock. A new leader knows nothing of it and tells
 * them anew: nobody else's clock says when a DRAIN or a HOLD runs out.
 */
export interface ModeClock {
  /** Milliseconds left of the last DRAIN or HOLD that this drive published; 0: none, or over. */
  leftMs(): number;
  /** Called before the publication is sent: clients count from when they see it, which is later. */
  told(maxMs: number): void;
}

/** A step came to a definite end that is not success: walk back and close with `outcome`. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly outcome: Exclude<SagaOutcome, 'DONE' | 'DONE_WITH_DEBT'>;
  readonly evidence: { readonly [key: string]: Json };

  constructor(
    outcome: StepFailure['outcome'],
    reason: string,
    evidence: { readonly [key: string]: Json } = {},
    cause?: unknown,
  ) {
    super(reason, cause === undefined ? undefined : { cause });
    this.outcome = outcome;
    this.evidence = evidence;
  }
}
