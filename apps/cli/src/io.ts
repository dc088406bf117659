import type { Writable } from 'node:stream';
import type { CliEnvironment } from './config/load.js';

/** Where a command writes: data to `out`, everything else to `err`. */
export type Io = Readonly<{
  out: (line: string) => void;
  err: (line: string) => void;
  /** Terminal control is allowed on stdout. */
  interactive: boolean;
  /** A person sits before stdin too: they may be asked. */
  canAsk: boolean;
  color: boolean;
  columns: number;
  environment: CliEnvironment;
  /** Aborted on SIGINT and SIGTERM. */
  signal: AbortSignal;
}>;

type Tty = Writable & { isTTY?: boolean; columns?: number };

const MAX_COLUMNS = 100;

export const processIo = (
  streams: Readonly<{ stdin: Readonly<{ isTTY?: boolean }>; stdout: Tty; stderr: Tty }>,
  environment: CliEnvironment,
  signal: AbortSignal,
): Io => {
  const interactive = streams.stdout.isTTY === true;
  return {
    out: (line) => void streams.stdout.write(`${line}\n`),
    err: (line) => void streams.stderr.write(`${line}\n`),
    interactive,
    canAsk: interactive && streams.stdin.isTTY === true,
    color: interactive && environment.color,
    columns: Math.min(MAX_COLUMNS, streams.stdout.columns ?? environment.columns ?? MAX_COLUMNS),
    environment,
    signal,
  };
};
