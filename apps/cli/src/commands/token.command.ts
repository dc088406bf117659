import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

type TokenBody = Readonly<{
  id: string;
  name: string;
  role: string;
  expiresAt: string;
  revokedAt: string | null;
  token?: string;
}>;

export const tokenCreateCommand = async (
  name: string,
  options: GlobalOptions & Readonly<{ role: string; expiresIn: string }>,
  io: Io,
): Promise<ExitCode> => {
  const { role, expiresIn } = options;
  const text = await clientFor(options, io).write({ path: '/v1/tokens', epoch: null, body: { name, role, expiresIn } });
  const body = JSON.parse(text) as TokenBody;
  if (options.output === 'table')
    io.err(`${body.role} token ${body.name} (${body.id}) until ${body.expiresAt}; it is shown once:`);
  io.out(options.output === 'json' ? text : (body.token ?? ''));
  return EXIT.ok;
};

export const tokenListCommand = async (options: GlobalOptions, io: Io): Promise<ExitCode> => {
  const text = await clientFor(options, io).get('/v1/tokens');
  if (options.output === 'json') {
    io.out(text);
    return EXIT.ok;
  }
  const { tokens } = JSON.parse(text) as { tokens: readonly TokenBody[] };
  if (tokens.length === 0) io.out('no tokens beside the one of the configuration file');
  for (const { id, name, role, expiresAt, revokedAt } of tokens)
    io.out(`${id}  ${role.padEnd(8)}  ${revokedAt === null ? `until ${expiresAt}` : `revoked ${revokedAt}`}  ${name}`);
  return EXIT.ok;
};

export const tokenRevokeCommand = async (id: string, options: GlobalOptions, io: Io): Promise<ExitCode> => {
  const path = `/v1/tokens/${encodeURIComponent(id)}/revoke`;
  const text = await clientFor(options, io).write({ path, epoch: null, body: {} });
  const { name } = JSON.parse(text) as TokenBody;
  io.out(options.output === 'json' ? text : `${name}: revoked`);
  return EXIT.ok;
};
