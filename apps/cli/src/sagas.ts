import type { Command } from 'commander';
import type { AbortOptions } from './commands/abort.command.js';
import type { PlannedOptions } from './commands/planned.command.js';
import type { Io } from './io.js';
import { type Done, milliseconds, remote, wholeNumber } from './options.js';

const PLANNED = [
  { act: 'switchover', about: 'move traffic to the other cluster, losing nothing' },
  { act: 'failback', about: 'the switchover that leads back to where the last switch came from' },
] as const;

/** The commands that open or end a saga. */
export const addSagas = (program: Command, io: Io, done: Done): void => {
  for (const { act, about } of PLANNED) {
    const command = remote(program, act, about)
      .argument('<group>')
      .requiredOption('--reason <text>', 'why; kept in the audit')
      .option('--by <person>', 'who (default: the login name)')
      .option('--dry-run', 'show the plan and what stands in its way, change nothing')
      .option('--confirm <cluster>', 'the name of the target, instead of typing it')
      .option('--epoch <n>', 'act only if the group is at this epoch (default: the present one)', wholeNumber)
      .option('--idempotency-key <key>', 'the same key does the act once (default: a new one)')
      .option(
        '--accept-unfenced-source',
        'the old side may stay open to applications where no fence lets MirrorMaker in',
      )
      .option('--wait <duration>', 'follow it for so long (default: 10m)', milliseconds)
      .action(async (group: string, options: PlannedOptions) => {
        const { plannedCommand } = await import('./commands/planned.command.js');
        await done(plannedCommand(act, group, options, io));
      });
    if (act === 'switchover') command.requiredOption('--to <cluster>', 'the cluster to move to');
    else command.option('--to <cluster>', 'refuse unless this is where it leads');
  }
  remote(program, 'abort', 'end a saga before publish; everything it did is taken back')
    .argument('<saga>')
    .requiredOption('--reason <text>', 'why; kept in the audit')
    .option('--by <person>', 'who (default: the login name)')
    .option('--idempotency-key <key>', 'the same key does the act once (default: a new one)')
    .action(async (saga: string, options: AbortOptions) => {
      const { abortCommand } = await import('./commands/abort.command.js');
      await done(abortCommand(saga, options, io));
    });
};
