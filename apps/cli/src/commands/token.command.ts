import { randomUUID } from 'node:crypto';
import { read, tell } from '../api/calls.js';
import type { TokenRole } from '../api/types.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

export const tokenCreateCommand = async (
  name: string,
  options: GlobalOptions & Readonly<{ role: TokenRole; expiresIn: string; idempotencyKey?: string }>,
  io: Io,
): Promise<ExitCode> => {
  const { role, expiresIn } = options;
  const asked = { key: options.idempotencyKey ?? randomUUID(), body: { name, role, expiresIn } };
  const { text, body } = await tell(clientFor(options, io), '/v1/tokens', asked);
  if (body.token === null) {
    const message = `This key made the token ${body.id} before, and its text was shown then: revoke it and make another.`;
    throw new CliError(message, EXIT.error);
  }
  if (options.output === 'table')
    io.err(`${body.role} token ${body.name} (${body.id}) until ${body.expiresAt}; it is shown once:`);
  io.out(options.output === 'json' ? text : body.token);
  return EXIT.ok;
};

export const tokenListCommand = async (options: GlobalOptions, io: Io): Promise<ExitCode> => {
  const { text, body } = await read(clientFor(options, io), '/v1/tokens');
  if (options.output === 'json') {
    io.out(text);
    return EXIT.ok;
  }
  const { tokens } = body;
  if (tokens.length === 0) io.out('no tokens beside the one of the configuration file');
  for (const { id, name, role, expiresAt, revokedAt } of tokens)
    io.out(`${id}  ${role.padEnd(8)}  ${revokedAt === null ? `until ${expiresAt}` : `revoked ${revokedAt}`}  ${name}`);
  return EXIT.ok;
};

export const tokenRevokeCommand = async (
  id: string,
  options: GlobalOptions & Readonly<{ idempotencyKey?: string }>,
  io: Io,
): Promise<ExitCode> => {
  const asked = { path: { id }, key: options.idempotencyKey ?? randomUUID(), body: undefined };
  const { text, body } = await tell(clientFor(options, io), '/v1/tokens/{id}/revoke', asked);
  io.out(options.output === 'json' ? text : `${body.name}: revoked`);
  return EXIT.ok;
};
