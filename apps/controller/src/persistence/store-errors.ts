/** Which errors of the drivers mean "ask again later" or "run the transaction again". Everything else is passed on as it is. */

/** Two transactions stood in each other's way; one was undone. PostgreSQL, then MariaDB (deadlock, certification, snapshot). */
const CONFLICT_CODES = new Set(['40001', '40P01', 'ER_LOCK_DEADLOCK', 'ER_CHECKREAD']);
const CONFLICT_NUMBERS = new Set([1213, 1020]);

const UNAVAILABLE_CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'PROTOCOL_CONNECTION_LOST'],
  ...['57P01', '57P02', '57P03', '53300'], // shutting down, crashed, starting, too many connections
  ...['57014', '55P03', '25P03', '25P04'], // statement, lock, idle and transaction time-outs
  ...['25006', '53100', '53200', '58030'], // demoted to read-only, no disk, no memory, an I/O error: passing, for a while
]);

/** What pg says without a code. */
const UNAVAILABLE_TEXTS = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Client has encountered a connection error',
  'Client was closed',
  'Cannot use a pool after calling end',
];

/** TypeORM gives the connection back by itself when it breaks; the next statement then fails with this name. */
const RELEASED = 'QueryRunnerAlreadyReleasedError';

export function isConflict(error: unknown): boolean {
  return links(error).some((e) => CONFLICT_CODES.has(e.code) || CONFLICT_NUMBERS.has(e.errno));
}

export function isUnavailable(error: unknown): boolean {
  return links(error).some(
    (e) =>
      UNAVAILABLE_CODES.has(e.code) ||
      e.code.startsWith('08') ||
      e.name === RELEASED ||
      UNAVAILABLE_TEXTS.some((text) => e.message.includes(text)),
  );
}

/** The server may still be at work on that connection: it must be closed, never used for the next statement. */
export const isReadTimeout = (error: unknown): boolean =>
  links(error).some((e) => e.message.includes('Query read timeout'));

export const isDuplicate = (error: unknown): boolean =>
  links(error).some((e) => e.code === '23505' || e.code === 'ER_DUP_ENTRY');

/** A table, an object, a schema, a key or (42701) a column is there already; XX000: a catalogue row changed under it. */
const MADE_BY_ANOTHER = ['42P07', '42710', '42P06', '23505', '42701', 'XX000'];

/** Two processes changed the schema at once; the loser finds it made when it looks again. */
export const isSchemaRace = (error: unknown): boolean =>
  isConflict(error) || links(error).some((e) => MADE_BY_ANOTHER.includes(e.code));

type Link = Readonly<{ name: string; message: string; code: string; errno: number }>;

/** The error, what TypeORM wraps (`driverError`), and causes; at most eight. */
function links(error: unknown): readonly Link[] {
  const found: Link[] = [];
  let next: unknown = error;
  while (next instanceof Error && found.length < 8) {
    const fields = next as Error & Readonly<{ code?: unknown; errno?: unknown; driverError?: unknown }>;
    found.push({
      name: fields.name,
      message: fields.message,
      code: typeof fields.code === 'string' ? fields.code : '',
      errno: typeof fields.errno === 'number' ? fields.errno : 0,
    });
    next = fields.driverError ?? fields.cause;
  }
  return found;
}
