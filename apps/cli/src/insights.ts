import type { Command } from 'commander';
import type { GlobalOptions } from './commands/context.js';
import type { DrillOptions } from './commands/drill.command.js';
import type { Io } from './io.js';
import { type Done, remote } from './options.js';

/** The commands that ask about a group beyond its state: who follows it, and whether it could move. */
export const addInsights = (program: Command, io: Io, done: Done): void => {
  remote(program, 'clients', 'who follows the pointer of a group, and who does not')
    .argument('<group>')
    .action(async (group: string, options: GlobalOptions) => {
      const { clientsCommand } = await import('./commands/clients.command.js');
      await done(clientsCommand(group, options, io));
    });
  remote(program, 'drill', 'a rehearsal: what a switch would do now and what stands in its way; changes nothing')
    .argument('<group>')
    .option('--to <cluster>', 'the target (default: the standby)')
    .option('--by <person>', 'who (default: the login name)')
    .action(async (group: string, options: DrillOptions) => {
      const { drillCommand } = await import('./commands/drill.command.js');
      await done(drillCommand(group, options, io));
    });
  remote(program, 'readiness', 'what stands between a group and a good failover, and what mends it')
    .argument('<group>')
    .action(async (group: string, options: GlobalOptions) => {
      const { readinessCommand } = await import('./commands/readiness.command.js');
      await done(readinessCommand(group, options, io));
    });
};
