import { Argument, type Command } from 'commander';
import { SHELLS, type Shell } from './completion/shells.js';
import type { Io } from './io.js';
import type { Done } from './options.js';

/** `pointsman completion`, `pointsman man`: made of the tree of commands at the moment they are asked for. */
export const addPages = (program: Command, io: Io, done: Done): void => {
  program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'which').choices(SHELLS))
    .action(async (shell: Shell) => {
      const { completionCommand } = await import('./commands/pages.command.js');
      await done(completionCommand(program, shell, io));
    });
  program
    .command('man')
    .description('print a man page, of one command or of all')
    .argument('[command...]', 'e.g. audit verify; absent: the overview')
    .option('--out <folder>', 'write all pages there instead')
    .action(async (path: readonly string[], options: { out?: string }) => {
      const { manCommand } = await import('./commands/pages.command.js');
      await done(manCommand(program, path, options, io));
    });
};
