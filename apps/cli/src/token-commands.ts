import { type Command, Option } from 'commander';
import type { TokenRole } from './api/types.js';
import type { GlobalOptions } from './commands/context.js';
import type { Io } from './io.js';
import { type Done, remote } from './options.js';

type TokenFlags = Readonly<{ role: TokenRole; expiresIn: string; idempotencyKey?: string }>;

/** `pointsman token create|list|revoke` */
export const addTokens = (program: Command, io: Io, done: Done): void => {
  const token = program.command('token').description('who may ask and tell');
  remote(token, 'create', 'a new token; it is printed once, on stdout')
    .argument('<name>', 'who or what uses it')
    .addOption(
      new Option('--role <role>', 'what it may do').choices(['viewer', 'operator', 'admin']).makeOptionMandatory(),
    )
    .requiredOption('--expires-in <duration>', 'ends by itself after, e.g. 90d')
    .option('--idempotency-key <key>', 'the same key makes one token (default: a new one)')
    .action(async (name: string, options: GlobalOptions & TokenFlags) => {
      const { tokenCreateCommand } = await import('./commands/token.command.js');
      await done(tokenCreateCommand(name, options, io));
    });
  remote(token, 'list', 'every token, never its text').action(async (options: GlobalOptions) => {
    const { tokenListCommand } = await import('./commands/token.command.js');
    await done(tokenListCommand(options, io));
  });
  remote(token, 'revoke', 'a token is refused from now on')
    .argument('<id>')
    .option('--idempotency-key <key>', 'the same key does the act once (default: a new one)')
    .action(async (id: string, options: GlobalOptions & { idempotencyKey?: string }) => {
      const { tokenRevokeCommand } = await import('./commands/token.command.js');
      await done(tokenRevokeCommand(id, options, io));
    });
};
