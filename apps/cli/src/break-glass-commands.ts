import type { Command } from 'commander';
import type { BreakGlassOptions } from './commands/break-glass.command.js';
import { CliError, EXIT } from './exit-codes.js';
import type { Io } from './io.js';
import { collect, type Done, outputOption } from './options.js';

const NEEDED = ['config', 'group', 'to', 'reason'] as const;

/** `pointsman break-glass`, `pointsman break-glass verify`: with everything else down. */
export const addBreakGlass = (program: Command, io: Io, done: Done): void => {
  const glass = program
    .command('break-glass')
    .description('move a group by hand when controllers, SQL and Redis are down; it is frozen until acknowledged')
    .enablePositionalOptions() // what stands behind `verify` is its own
    .option('--config <file>', "a controller's file; again for each agent's file on this host", collect, [])
    .option('--group <group>', 'the group to move')
    .option('--to <cluster>', 'the cluster to move to')
    .option('--reason <text>', 'why; kept in the evidence')
    .option('--by <person>', 'who (default: the login name)')
    .option('--confirm <cluster>', 'the name of the target, instead of typing it')
    .option('--dry-run', 'show the plan and what is so now, change nothing')
    .option('--evidence-dir <folder>', "where the evidence goes (default: break-glass in the controller's dataDir)")
    .addOption(outputOption())
    .action(async (options: Partial<BreakGlassOptions>) => {
      const { breakGlassCommand } = await import('./commands/break-glass.command.js');
      await done(breakGlassCommand(complete(options), io));
    });
  glass
    .command('verify')
    .description('is this the file that break-glass left; exit 1 if it was changed, or signed by another key')
    .argument('<file>')
    .requiredOption('--key <file>', 'the public key of breakGlass.keyFile, in PEM')
    .addOption(outputOption())
    .action(async (file: string, options: { key: string; output: 'table' | 'json' }) => {
      const { breakGlassVerifyCommand } = await import('./commands/break-glass.command.js');
      await done(breakGlassVerifyCommand(file, options, io));
    });
};

/** Not `requiredOption`: commander would ask them of `verify` too. */
function complete(options: Partial<BreakGlassOptions>): BreakGlassOptions {
  const missing = NEEDED.filter((name) => options[name] === undefined || options[name].length === 0);
  if (missing.length > 0) throw new CliError(`give ${missing.map((name) => `--${name}`).join(', ')}`, EXIT.usage);
  const { config = [], group = '', to = '', reason = '', output = 'table' } = options;
  return { ...options, config, group, to, reason, output };
}
