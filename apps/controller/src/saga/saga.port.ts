import type { Decision, SagaRecord, Snapshot } from '#failover';
import type { AuthorityTx } from '../persistence/authority-store.port.js';
import type { PlannedAnswer, PlannedAsk, Rehearsal } from './planned-ask.js';
import type { AbortAnswer } from './saga-abort.js';

export type { PlannedAnswer, PlannedAsk, Rehearsal } from './planned-ask.js';
export { toldSurvey } from './rejoin/told-survey.js';
export { StaleGroupError } from './steps/open-saga.step.js';

/** What belongs into the transaction that opens a saga: the answer kept for its idempotency key. */
export type Also = (tx: AuthorityTx, saga: SagaRecord, rehearsal: Rehearsal) => Promise<void>;

/** The leader's driver of sagas. */
export interface SagaDriver {
  /** Starts a failover for an acting decision, unless one is open. Resolves once the saga runs; never waits for its end. */
  start(snapshot: Snapshot, decision: Decision): Promise<void>;
  /** Row 190: the active cluster carries our own fence and no saga is open: opens it with a new epoch. */
  unfenceActive(snapshot: Snapshot, decision: Decision): Promise<void>;
  /** Sets the standing goals that keep standbys closed to applications, where the clusters offer it and all is calm. */
  fenceStandbys(snapshot: Snapshot, decision: Decision): Promise<void>;
  /** Both directions of a flow run (I37): both get the goal `stopped`, until they are; never while a saga is open. */
  stopLoop(snapshot: Snapshot, decision: Decision): Promise<void>;
  /** Ends goals that hold only until they are reached, whichever leader set them; never while a saga is open. */
  dropReached(group: string): Promise<void>;
  /** An old primary answers again: counts, once and in the background, what it alone holds. Returns at once. */
  survey(snapshot: Snapshot, decision: Decision): Promise<void>;
  /** The store holds an open saga of the group that nobody drives here, e.g. one whose opening commit lost its answer. */
  adopt(group: string): Promise<void>;
  /** Plan and preconditions of a planned switch; writes nothing. Null: this process does not lead. */
  rehearse(ask: PlannedAsk): Promise<Rehearsal | null>;
  /**
   * Opens a planned switch, if nothing stands in its way, and drives it. Null: this process does not lead. Throws
   * OpenSagaExistsError and StaleGroupError when another one was faster.
   */
  request(ask: PlannedAsk, also: Also): Promise<PlannedAnswer | null>;
  /** Ends a saga of this leader. Null: it drives no saga of that id. */
  abort(id: string, reason: string): Promise<AbortAnswer | null>;
  /** Open sagas known to this process, with how long they have been open. */
  open(group: string): Readonly<{ saga: SagaRecord; openForMs: number }> | null;
}

export const SAGA_DRIVER = Symbol('SagaDriver');
