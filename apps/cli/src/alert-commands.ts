import type { Command } from 'commander';
import { Option } from 'commander';
import type { AlertState } from './api/types.js';
import type { AlertWriteOptions } from './commands/alert.command.js';
import type { GlobalOptions } from './commands/context.js';
import type { Io } from './io.js';
import { collect, type Done, remote, wholeNumber } from './options.js';

/** `pointsman alert list|resend|test` */
export const addAlerts = (program: Command, io: Io, done: Done): void => {
  const alert = program.command('alert').description('what was told to whom; send again what was not taken');
  remote(alert, 'list', 'the newest alerts and how they went at each receiver')
    .addOption(new Option('--state <state>', 'which').choices(['all', 'pending', 'dead']).default('all'))
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async (options: GlobalOptions & { state: AlertState; limit: number }) => {
      const { alertListCommand } = await import('./commands/alert.command.js');
      await done(alertListCommand(options, io));
    });
  remote(alert, 'resend', 'send a dead letter again')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why; kept in the audit')
    .option('--by <person>', 'who (default: the login name)')
    .option('--receiver <name>', 'only to this one, repeatable', collect, [])
    .option('--idempotency-key <key>', 'the same key does the act once (default: a new one)')
    .action(async (id: string, options: AlertWriteOptions & { receiver: readonly string[] }) => {
      const { alertResendCommand } = await import('./commands/alert.command.js');
      await done(alertResendCommand(id, options, io));
    });
  remote(alert, 'test', 'a test alert to every receiver')
    .option('--reason <text>', 'why; kept in the audit', 'are the receivers reached?')
    .option('--by <person>', 'who (default: the login name)')
    .option('--idempotency-key <key>', 'the same key does the act once (default: a new one)')
    .action(async (options: AlertWriteOptions) => {
      const { alertTestCommand } = await import('./commands/alert.command.js');
      await done(alertTestCommand(options, io));
    });
};
