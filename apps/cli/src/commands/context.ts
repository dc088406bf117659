import { readFileSync } from 'node:fs';
import { ApiClient } from '../api/client.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { Io } from '../io.js';

export type GlobalOptions = Readonly<{
  server: readonly string[];
  tokenFile?: string;
  timeout: number; // ms
  output: 'table' | 'json';
}>;

const DEFAULT_SERVER = 'http://127.0.0.1:8080';

/** Flag, then environment, then this machine. */
export const serversOf = (options: GlobalOptions, io: Io): readonly string[] => {
  if (options.server.length > 0) return options.server;
  return io.environment.servers.length > 0 ? io.environment.servers : [DEFAULT_SERVER];
};

export const tokenOf = (options: GlobalOptions, io: Io): string | null => {
  const file = options.tokenFile ?? io.environment.tokenFile;
  if (file === null || file === undefined) return null;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new CliError(`token file ${file} cannot be read: check the path and its permissions`, EXIT.usage, { cause });
  }
};

export const clientOf = (options: GlobalOptions, io: Io, servers: readonly string[], token: string | null): ApiClient =>
  new ApiClient({ servers, token, timeoutMs: options.timeout, signal: io.signal });

export const clientFor = (options: GlobalOptions, io: Io): ApiClient =>
  clientOf(options, io, serversOf(options, io), tokenOf(options, io));
