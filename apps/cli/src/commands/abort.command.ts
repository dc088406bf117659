import { randomUUID } from 'node:crypto';
import { tell } from '../api/calls.js';
import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

export type AbortOptions = GlobalOptions & Readonly<{ reason: string; by?: string; idempotencyKey?: string }>;

/** Ends a saga before its point of no return, or takes back what is scheduled. Too late is a refusal (6): it goes on. */
export const abortCommand = async (saga: string, options: AbortOptions, io: Io): Promise<ExitCode> => {
  const by = options.by ?? io.environment.user ?? undefined;
  const { text, body } = await tell(clientFor(options, io), '/v1/sagas/{id}/abort', {
    path: { id: saga },
    key: options.idempotencyKey ?? randomUUID(),
    body: { reason: options.reason, ...(by === undefined ? {} : { by }) },
  });
  const how = body.scheduled === true ? 'it had not begun' : 'it walks back: pointsman events -f follows it';
  io.out(options.output === 'json' ? text : `${body.group}: ${body.outcome}; ${how}`);
  return EXIT.ok;
};
