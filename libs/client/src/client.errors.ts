/** The buffer of unsettled sends is full. This record was never sent, so sending it later makes no duplicate. */
export class BufferFullError extends Error {
  readonly code = 'BUFFER_FULL';
  readonly remedy = 'slow down, shed load, or raise buffer.maxRecords or buffer.maxBytes';

  constructor(limit: 'maxRecords' | 'maxBytes', value: number) {
    super(`unsettled sends reached buffer.${limit} (${value})`);
    this.name = 'BufferFullError';
  }
}

/** No cluster acknowledged the record in time. `cause` is the last failure seen. */
export class SwitchTimeoutError extends Error {
  readonly code = 'SWITCH_TIMEOUT';
  readonly remedy = 'send it again if a duplicate does no harm, or keep it aside for a person';
  readonly reason: 'max-wait' | 'closed';
  /** True: an attempt was made whose end is unknown, so the record may lie on a cluster. False: it lies on none. */
  readonly maybeWritten: boolean;

  constructor(reason: 'max-wait' | 'closed', waitedMs: number, maybeWritten: boolean, cause: unknown) {
    const why = reason === 'closed' ? 'the producer was closed' : 'buffer.maxWaitMs passed';
    super(`no cluster acknowledged the record within ${Math.round(waitedMs)} ms: ${why}`, { cause });
    this.name = 'SwitchTimeoutError';
    this.reason = reason;
    this.maybeWritten = maybeWritten;
  }
}

/**
 * The transaction is over and was not (or, with `maybeCommitted`, perhaps) committed. Begin another one with
 * `transaction()` and do its work again: that one waits for the cluster that is active then.
 */
export class TransactionAbortedError extends Error {
  readonly code = 'TRANSACTION_ABORTED';
  readonly remedy = 'begin a new transaction and repeat its work; with maybeCommitted only if a duplicate does no harm';
  /** False: the broker refused a record for what it is; the same transaction would end the same way anywhere. */
  readonly retriable: boolean;
  readonly reason: 'switched' | 'fenced' | 'failed' | 'closed';
  /** True: the commit was under way and its end is unknown. */
  readonly maybeCommitted: boolean;
  readonly cluster: string;

  constructor(
    reason: TransactionAbortedError['reason'],
    cluster: string,
    maybeCommitted: boolean,
    cause: unknown,
    retriable = true,
  ) {
    const why = {
      switched: 'the pointer moved to another cluster',
      fenced: 'the cluster is closed to writes',
      failed: 'a request of it failed',
      closed: 'the producer was closed',
    }[reason];
    const end = maybeCommitted ? 'whether it was committed is unknown' : 'nothing of it was committed';
    super(`transaction on cluster ${cluster}: ${why}; ${end}`, cause === undefined ? undefined : { cause });
    this.name = 'TransactionAbortedError';
    this.reason = reason;
    this.cluster = cluster;
    this.maybeCommitted = maybeCommitted;
    this.retriable = retriable;
  }
}

/** The record's cluster was left behind, or its consumer closed. `retriable` is read by kafkajs: the old consumer must end, not try again. */
export class SupersededError extends Error {
  readonly code = 'SUPERSEDED';
  readonly retriable = false;

  constructor(cluster: string) {
    super(`cluster ${cluster} was left by the pointer or by close: nothing of it is delivered or committed any more`);
    this.name = 'SupersededError';
  }
}

export class UnknownClusterError extends Error {
  readonly code = 'UNKNOWN_CLUSTER';
  readonly remedy = 'add it to `clusters`, with its brokers and credentials';

  constructor(cluster: string, known: readonly string[]) {
    super(`the pointer names cluster ${cluster}; configured are ${known.join(', ')}`);
    this.name = 'UnknownClusterError';
  }
}

export class PointerConflictError extends Error {
  readonly code = 'POINTER_CONFLICT';
  readonly remedy = 'look at the controllers: such a pointer freezes the group until a person acknowledges';

  constructor(message: string) {
    super(message);
    this.name = 'PointerConflictError';
  }
}

export function asError(e: unknown): Error {
  return e instanceof Error ? e : new Error(String(e));
}
