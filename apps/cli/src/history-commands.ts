import type { Command } from 'commander';
import type { GlobalOptions } from './commands/context.js';
import type { Io } from './io.js';
import { type Done, remote, wholeNumber } from './options.js';

/** `pointsman history`, `pointsman audit list|verify`, `pointsman report` */
export const addHistory = (program: Command, io: Io, done: Done): void => {
  remote(program, 'history', 'what happened to a group')
    .argument('<group>')
    .option('--limit <n>', 'how many', wholeNumber, 50)
    .action(async (group: string, options: GlobalOptions & { limit: number }) => {
      const { historyCommand } = await import('./commands/history.command.js');
      await done(historyCommand(group, options, io));
    });
  const audit = program.command('audit').description('who did what, who was denied, and whether the record is whole');
  remote(audit, 'list', 'rows, oldest first')
    .option('--after <seq>', 'only rows after this one', wholeNumber)
    .option('--limit <n>', 'how many', wholeNumber, 50)
    .action(async (options: GlobalOptions & { limit: number; after?: number }) => {
      const { auditListCommand } = await import('./commands/history.command.js');
      await done(auditListCommand(options, io));
    });
  remote(audit, 'verify', 'exit 1 when a row was changed, removed or moved')
    .option('--expect <seq:hash>', 'a row kept elsewhere: also finds rows cut off at the end')
    .action(async (options: GlobalOptions & { expect?: string }) => {
      const { auditVerifyCommand } = await import('./commands/history.command.js');
      await done(auditVerifyCommand(options, io));
    });
  remote(program, 'report', 'one saga for people, as Markdown')
    .argument('<saga-or-group>', 'a saga, or a group for its newest one')
    .action(async (what: string, options: GlobalOptions) => {
      const { reportCommand } = await import('./commands/history.command.js');
      await done(reportCommand(what, options, io));
    });
};
