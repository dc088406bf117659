import type { Decision, SagaRecord, Snapshot } from '#failover';

/** The leader's driver of sagas. */
export interface SagaDriver {
  /** Starts a failover for an acting decision, unless one is open. Resolves once the saga runs; never waits for its end. */
  start(snapshot: Snapshot, decision: Decision): Promise<void>;
  /** Row 190: the active cluster carries our own fence and no saga is open: opens it with a new epoch. */
  unfenceActive(snapshot: Snapshot, decision: Decision): Promise<void>;
  /** Both directions of a flow run (I37): both get the goal `stopped`, kept until they are; never while a saga is open. */
  stopLoop(snapshot: Snapshot, decision: Decision): Promise<void>;
  /** Open sagas known to this process, with how long they have been open. */
  open(group: string): Readonly<{ saga: SagaRecord; openForMs: number }> | null;
}

export const SAGA_DRIVER = Symbol('SagaDriver');
