import type { Command } from 'commander';
import type { ApproveOptions } from './commands/approve.command.js';
import type { WriteOptions } from './commands/write.command.js';
import type { Io } from './io.js';
import { type Done, milliseconds, remote, wholeNumber } from './options.js';

const written = (command: Command): Command =>
  command
    .requiredOption('--reason <text>', 'why; kept in the audit')
    .option('--by <person>', 'who (default: the login name)')
    .option('--dry-run', 'say what would happen and what stands in its way, change nothing')
    .option('--epoch <n>', 'act only if the group is at this epoch (default: the present one)', wholeNumber)
    .option('--idempotency-key <key>', 'the same key does the act once (default: a new one)');

/** What a person says to what Pointsman proposes, and whether it proposes or acts. */
export const addProposals = (program: Command, io: Io, done: Done): void => {
  written(remote(program, 'approve', 'say yes to the open proposal; the last yes needed begins the failover'))
    .argument('<group>')
    .option('--proposal <id>', 'only this one (default: whichever is open)')
    .option('--wait <duration>', 'follow what begins for so long (default: 10m)', milliseconds)
    .action(async (group: string, options: ApproveOptions) => {
      const { approveCommand } = await import('./commands/approve.command.js');
      await done(approveCommand(group, options, io));
    });
  written(remote(program, 'reject', 'say no to the open proposal; it is not made again for a while'))
    .argument('<group>')
    .option('--proposal <id>', 'only this one (default: whichever is open)')
    .action(async (group: string, options: WriteOptions & { proposal?: string }) => {
      const { writeCommand } = await import('./commands/write.command.js');
      await done(writeCommand(group, 'reject', { proposal: options.proposal }, options, io));
    });
  written(remote(program, 'mode', 'observe, approve or auto: what becomes of a row that wants to act'))
    .argument('<group>')
    .argument('<mode>', 'observe | approve | auto')
    .action(async (group: string, mode: string, options: WriteOptions) => {
      const { writeCommand } = await import('./commands/write.command.js');
      await done(writeCommand(group, 'mode', { mode }, options, io));
    });
};
