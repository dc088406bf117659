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

/** The record's cluster was left behind. `retriable` is read by kafkajs: the old consumer must end, not try again. */
export class SupersededError extends Error {
  readonly code = 'SUPERSEDED';
  readonly retriable = false;

  constructor(cluster: string) {
    super(`the pointer has moved away from cluster ${cluster}: nothing of it is delivered or committed any more`);
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
