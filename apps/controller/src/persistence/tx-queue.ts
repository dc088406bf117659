import { AnswerExistsError, OpenSagaExistsError, UnknownRowError } from './authority-store.port.js';

/**
 * Runs the statements of one transaction one after the other, also when the caller started several at once (two appends
 * would read the same highest seq). Remembers the first database error: PostgreSQL answers COMMIT of a spoilt transaction
 * with a silent ROLLBACK, so a caller that swallowed the error would believe it had written.
 */
export class TxQueue {
  private tail: Promise<unknown> = Promise.resolve();
  private failure: Error | null = null;
  private ended = false;

  add<T>(statement: () => Promise<T>): Promise<T> {
    if (this.ended) return Promise.reject(new Error('the transaction is over: await every call inside `work`'));
    const result = this.tail.then(() => {
      if (this.failure !== null) throw this.failure;
      return statement();
    });
    this.tail = result.catch((error: unknown) => {
      if (!isAnswer(error)) this.failure ??= error instanceof Error ? error : new Error(String(error));
    });
    return result;
  }

  /** Waits for statements that the caller did not await, then says whether the transaction may commit. */
  async end(): Promise<void> {
    this.ended = true;
    await this.tail;
    if (this.failure !== null) throw this.failure;
  }
}

/** Said by us after a look, with the transaction unharmed. */
const isAnswer = (error: unknown): boolean =>
  error instanceof OpenSagaExistsError || error instanceof UnknownRowError || error instanceof AnswerExistsError;
