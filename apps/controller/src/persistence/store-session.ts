import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { StoreUnavailableError } from './authority-store.port.js';
import { isConflict, isReadTimeout, isUnavailable } from './store-errors.js';

const MAX_ATTEMPTS = 5;
const BACKOFF_MS = 20;

/** Where pg keeps the socket; the one thing that ends a connection which a dead server will never answer. */
type PgClient = Readonly<{ connection?: Readonly<{ stream: Readonly<{ destroy(): void }> }> }>;

/**
 * One connection for one piece of work, its errors translated. Conflicts are retried here (at most {@link MAX_ATTEMPTS}
 * times); an unreachable store is not: the caller's own loop comes back, and must see that the store is away.
 */
export class StoreSession {
  constructor(private readonly dataSource: DataSource) {}

  /** Statements without a transaction of their own. */
  async run<T>(doing: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.retrying(doing, () => this.withRunner((runner) => work(runner.manager)));
  }

  /** One transaction. A connection that breaks while COMMIT is under way gives `outcomeUnknown`. */
  async transaction<T>(doing: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.retrying(doing, () => this.withRunner((runner) => inTransaction(runner, doing, work)));
  }

  private async retrying<T>(doing: string, attempt: () => Promise<T>): Promise<T> {
    for (let made = 1; ; made += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (isConflict(error) && made < MAX_ATTEMPTS) {
          await pause(BACKOFF_MS * made * (0.5 + Math.random()));
          continue;
        }
        if (error instanceof StoreUnavailableError) throw error;
        if (isConflict(error) || isUnavailable(error)) throw new StoreUnavailableError(doing, { cause: error });
        throw error;
      }
    }
  }

  private async withRunner<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client = (await runner.connect()) as PgClient;
      try {
        return await work(runner);
      } catch (error) {
        if (isReadTimeout(error)) client.connection?.stream.destroy();
        throw error;
      }
    } finally {
      await runner.release();
    }
  }
}

async function inTransaction<T>(
  runner: QueryRunner,
  doing: string,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  await runner.startTransaction();
  let result: T;
  try {
    result = await work(runner.manager);
  } catch (error) {
    await rollBack(runner, error);
    throw error;
  }
  try {
    await runner.commitTransaction();
  } catch (error) {
    await rollBack(runner, error);
    if (isUnavailable(error)) throw new StoreUnavailableError(doing, { cause: error, outcomeUnknown: true });
    throw error;
  }
  return result;
}

/** Undoing on a broken connection fails as well; the server undoes by itself there, and the first error is the one to tell. */
async function rollBack(runner: QueryRunner, error: unknown): Promise<void> {
  if (runner.isReleased || !runner.isTransactionActive || isReadTimeout(error)) return;
  try {
    await runner.rollbackTransaction();
  } catch (second) {
    if (!isUnavailable(second)) throw new AggregateError([error, second], 'a transaction failed, and undoing it too');
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
