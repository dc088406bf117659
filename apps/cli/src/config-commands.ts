import type { Command } from 'commander';
import type { InitFlags } from './commands/init.command.js';
import type { Io } from './io.js';
import { type Done, outputOption } from './options.js';

/** `pointsman init`, `pointsman config check|show`: files of this machine, no controller is asked. */
export const addConfig = (program: Command, io: Io, done: Done): void => {
  const config = program.command('config').description('configuration files, by the rules of the app that reads them');
  config
    .command('check')
    .description('all that is wrong, each with file, line and column; exit 1 if anything is')
    .argument('<files...>')
    .action(async (files: readonly string[]) => {
      const { configCheckCommand } = await import('./commands/config.command.js');
      await done(configCheckCommand(files, io));
    });
  config
    .command('show')
    .description('what a file sets, secrets masked')
    .argument('<file>')
    .option('--effective', 'also every default, each value with its origin')
    .addOption(outputOption())
    .action(async (file: string, options: { effective?: boolean; output: 'table' | 'json' }) => {
      const { configShowCommand } = await import('./commands/config.command.js');
      await done(configShowCommand(file, options, io));
    });
  program
    .command('init')
    .description('write a commented configuration for three controllers and three agents')
    .option('--out <folder>', 'where to; no file there is overwritten', 'pointsman')
    .option('--idcs <names>', 'the three IDCs: first the active one, then its standby, then the witness')
    .option('--hosts <hosts>', 'host in each IDC, in their order; other ports than 8080:9090:9464 behind it')
    .option('--kafka <servers>', 'bootstrap servers of the active cluster, host:port, comma separated')
    .option('--standby-kafka <servers>', 'the same of the standby')
    .option('--connect <url>', 'Connect worker whose own cluster is the active one')
    .option('--standby-connect <url>', 'Connect worker whose own cluster is the standby')
    .option('--etcd <urls>', 'endpoints of the etcd that clients read; without it the store is the config center')
    .option('--group <name>', 'name of the failover group')
    .option('--topics <names>', 'topics that switch together; a trailing * is a prefix')
    .option('--consumer-groups <names>', 'consumer groups that go along')
    .option('--max-loss <n>', 'records that an unplanned failover may lose')
    .option('--max-lag <duration>', 'and the time, e.g. 30s')
    .option('--config-dir <folder>', 'where certificates and secrets lie on each host (default: /etc/pointsman)')
    .option('--state-dir <folder>', 'what the programs remember on each host (default: /var/lib/pointsman)')
    .action(async (options: InitFlags) => {
      const { initCommand } = await import('./commands/init.command.js');
      await done(initCommand(options, io));
    });
};
