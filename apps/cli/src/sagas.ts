import { type Command, Option } from 'commander';
import type { AbortOptions } from './commands/abort.command.js';
import type { GlobalOptions } from './commands/context.js';
import type { PlannedOptions } from './commands/planned.command.js';
import type { Io } from './io.js';
import { collect, type Done, instant, milliseconds, remote, wholeNumber } from './options.js';

const PLANNED = [
  { act: 'switchover', about: 'move traffic to the other cluster, losing nothing' },
  { act: 'failback', about: 'the switchover that leads back to where the last switch came from' },
  { act: 'failover', about: 'move traffic off a cluster that cannot be moved in peace; what it loses is lost' },
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
      .option('--wait <duration>', 'follow it for so long (default: 10m)', milliseconds)
      .action(async (group: string, options: PlannedOptions) => {
        const { plannedCommand } = await import('./commands/planned.command.js');
        await done(plannedCommand(act, group, options, io));
      });
    if (act === 'failback') command.option('--to <cluster>', 'refuse unless this is where it leads');
    else command.requiredOption('--to <cluster>', 'the cluster to move to');
    if (act === 'switchover')
      command.option(
        '--at <time>',
        'not now but then: RFC 3339 in UTC, or HH:MM by the clock of this machine',
        instant,
      );
    if (act === 'failover') addOrder(command);
    else
      command.option(
        '--accept-unfenced-source',
        'the old side may stay open to applications where no fence lets MirrorMaker in',
      );
  }
  addRejoin(program, io, done);
  remote(program, 'abort', 'end a saga before publish, everything it did is taken back; or a scheduled switchover')
    .argument('<saga>')
    .requiredOption('--reason <text>', 'why; kept in the audit')
    .option('--by <person>', 'who (default: the login name)')
    .option('--idempotency-key <key>', 'the same key does the act once (default: a new one)')
    .action(async (saga: string, options: AbortOptions) => {
      const { abortCommand } = await import('./commands/abort.command.js');
      await done(abortCommand(saga, options, io));
    });
};

/** What only the order of a failover says: the loss it accepts, and what it sets aside by name (docs/decision-matrix.md). */
const addOrder = (command: Command): void => {
  command
    .option('--max-records <n>', 'at most so many records may be lost', wholeNumber)
    .option('--max-duration <duration>', 'at most what was written in so much time may be lost, e.g. 90s')
    .option('--override <blocker>', 'set this blocker aside, repeatable', collect, []);
};

const addRejoin = (program: Command, io: Io, done: Done): void => {
  remote(program, 'tail', 'the records that only a returned cluster holds')
    .argument('<group>')
    .action(async (group: string, options: GlobalOptions) => {
      const { tailCommand } = await import('./commands/tail.command.js');
      await done(tailCommand(group, options, io));
    });
  remote(program, 'rejoin', 'take a returned cluster back as the standby; traffic does not move')
    .argument('<group>')
    .requiredOption('--reason <text>', 'why; kept in the audit')
    .addOption(
      new Option('--choice <what>', 'what becomes of its tail')
        .choices(['accept', 'export', 'replay', 'rebuild'])
        .makeOptionMandatory(),
    )
    .addOption(new Option('--export-to <place>', 'of --choice export').choices(['file', 'topic']))
    .addOption(
      new Option('--strategy <name>', 'of --choice replay').choices([
        'last-write-wins',
        'source-priority',
        'merge',
        'custom',
      ]),
    )
    .option('--priority <cluster...>', 'of --strategy source-priority: the first of these wins')
    .option('--confirm <cluster>', 'of --choice rebuild: the cluster whose topics are deleted, instead of typing it')
    .option('--by <person>', 'who (default: the login name)')
    .option('--to <cluster>', 'refuse unless this is the cluster that waits')
    .option('--dry-run', 'show the plan and what stands in its way, change nothing')
    .option('--epoch <n>', 'act only if the group is at this epoch (default: the present one)', wholeNumber)
    .option('--idempotency-key <key>', 'the same key does the act once (default: a new one)')
    .option('--accept-unfenced-source', 'it may be open to applications where no fence lets MirrorMaker in')
    .option('--wait <duration>', 'follow it for so long (default: 10m)', milliseconds)
    .action(async (group: string, options: PlannedOptions) => {
      const { plannedCommand } = await import('./commands/planned.command.js');
      await done(plannedCommand('rejoin', group, options, io));
    });
};
