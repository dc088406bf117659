import 'reflect-metadata';
import { DataSource, type DataSourceOptions, type Logger } from 'typeorm';
import type { AuthorityStore } from './authority-store.port.js';
import { StoreUnavailableError } from './authority-store.port.js';
import { ENTITIES } from './entities/index.js';
import { MIGRATIONS } from './migrations/index.js';
import { isSchemaRace, isUnavailable } from './store-errors.js';
import { TypeOrmAuthorityStore } from './typeorm-authority-store.js';

export type AuthorityStoreOptions = Readonly<{
  url: string; // postgres://user:password@host:port/database
  /**
   * How long the store may take for one statement, and a transaction may stand idle, before it counts as unavailable.
   * Must stay below the lease's retry, or a dead database costs more than one renewal. Default 1,500 ms.
   */
  statementTimeoutMs?: number;
  /** How long to wait at start for a store that is not there yet. Default 30,000 ms. */
  connectForMs?: number;
  poolSize?: number; // default 8
  /** Told of connections that broke while idle (the pool replaces them). Default: nobody. */
  onIdleError?: (error: unknown) => void;
}>;

const SCHEMA_ATTEMPTS = 10;
/** One statement of a migration may read a whole table. */
const SCHEMA_STATEMENT_MS = 600_000;
const RETRY_MS = 250;
const STATEMENT_TIMEOUT_MS = 1_500;

/**
 * Connects, brings the schema up to date and gives the store. Several controllers may start on an empty database at once:
 * the losers of that race look again. Throws {@link StoreUnavailableError} if there is no store after `connectForMs`.
 */
export async function createAuthorityStore(options: AuthorityStoreOptions): Promise<AuthorityStore> {
  const giveUpAt = performance.now() + (options.connectForMs ?? 30_000);
  for (let races = 0; ;) {
    const dataSource = new DataSource(dataSourceOptions(options));
    try {
      await dataSource.initialize();
      if (await dataSource.showMigrations()) await bringUpToDate(options);
      return new TypeOrmAuthorityStore(dataSource);
    } catch (error) {
      if (dataSource.isInitialized) await dataSource.destroy();
      if (isSchemaRace(error) && races < SCHEMA_ATTEMPTS) races += 1;
      else if (!isUnavailable(error)) throw error;
      else if (performance.now() >= giveUpAt) throw new StoreUnavailableError('connect', { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS * (0.5 + Math.random())));
  }
}

/** Over a connection of its own: what answers leaders within their lease is too short for a table of years. */
async function bringUpToDate(options: AuthorityStoreOptions): Promise<void> {
  const schema = new DataSource(dataSourceOptions({ ...options, poolSize: 1 }, SCHEMA_STATEMENT_MS));
  await schema.initialize();
  try {
    await schema.runMigrations();
  } finally {
    await schema.destroy();
  }
}

function dataSourceOptions(
  options: AuthorityStoreOptions,
  statementMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
): DataSourceOptions {
  const timeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  return {
    type: 'postgres',
    url: options.url,
    applicationName: 'pointsman-controller',
    entities: ENTITIES,
    migrations: [...MIGRATIONS],
    migrationsTableName: 'pointsman_migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    logger: SILENT,
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    poolSize: options.poolSize ?? 8,
    connectTimeoutMS: timeoutMs,
    poolErrorHandler: options.onIdleError ?? (() => undefined),
    extra: {
      keepAlive: true,
      statement_timeout: statementMs,
      lock_timeout: timeoutMs,
      // A leader frozen in mid-transaction holds the lease row's lock: without this nobody could ever take the lease.
      idle_in_transaction_session_timeout: timeoutMs,
      // The server's own time-outs answer first; this one is for a server that answers nothing.
      query_timeout: statementMs + 250,
    },
  };
}

/** TypeORM prints a failed migration even with logging off; the errors themselves are thrown and told by the caller. */
const SILENT: Logger = {
  logQuery: () => undefined,
  logQueryError: () => undefined,
  logQuerySlow: () => undefined,
  logSchemaBuild: () => undefined,
  logMigration: () => undefined,
  log: () => undefined,
};
