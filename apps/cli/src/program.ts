import { Command } from 'commander';
import { addAlerts } from './alert-commands.js';
import { addBreakGlass } from './break-glass-commands.js';
import { addConfig } from './config-commands.js';
import { COMMAND_EXAMPLES } from './examples.js';
import { CliError, EXIT, exitLine } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { addHistory } from './history-commands.js';
import type { Io } from './io.js';
import type { GlobalOptions } from './commands/context.js';
import type { WriteFields } from './commands/write.command.js';
import { addInsights } from './insights.js';
import { addProposals } from './proposals.js';
import { addPages } from './pages.js';
import { type Format, shaperOf } from './render/format.js';
import type { Shaper } from './render/shaper.js';
import { wrap } from './render/text.js';
import { addSagas } from './sagas.js';
import { addTokens } from './token-commands.js';
import { type Done, outputOption, remote, wholeNumber } from './options.js';

const AROUND = [
  'Servers: --server URL (repeatable), else POINTSMAN_SERVER (comma separated), else http://127.0.0.1:8080.',
  'Token:   --token-file FILE, else POINTSMAN_TOKEN_FILE.',
  `Exit:    ${exitLine()}.`,
];

/** Runs the CLI on its arguments; resolves to the exit status. Command code is loaded only when it is called. */
export const runCli = async (args: readonly string[], io: Io): Promise<ExitCode> => {
  if (args.includes('-V') || args.includes('--version')) {
    const { cliVersion } = await import('./version.js');
    io.out(cliVersion());
    return EXIT.ok;
  }
  let exitCode: ExitCode = EXIT.ok;
  const program = buildProgram(io, async (run) => {
    exitCode = await run;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (e) {
    return failed(e, io);
  }
};

/** The whole tree of commands: what is typed, what the help says, and what completions and man pages are made of. */
export const buildProgram = (io: Io, done: Done): Command => {
  const program = newProgram(io);
  const shaped = shapedBy(program, io);
  addReads(program, shaped, done);
  addInsights(program, shaped, done);
  addWrites(program, shaped, done);
  addAlerts(program, shaped, done);
  addHistory(program, shaped, done);
  addTokens(program, shaped, done);
  addSagas(program, shaped, done);
  addProposals(program, shaped, done);
  addLocal(program, shaped, done);
  addConfig(program, shaped, done);
  addBreakGlass(program, shaped, done);
  addPages(program, shaped, done);
  addExamples(program, '');
  return program;
};

/** Commands print words or JSON; what else `-o` asks for is made of the JSON on its way out. */
const shapedBy = (program: Command, io: Io): Io => {
  let shape: Shaper | null = null;
  program.hook('preAction', async (_program, command) => {
    const format = command.getOptionValue('output') as Format | undefined;
    if (format === undefined) return;
    shape = await shaperOf(format);
    if (shape !== null) command.setOptionValue('output', 'json');
  });
  const out = (line: string): void => {
    const text = shape === null ? line : shape(line);
    if (text !== null) io.out(text);
  };
  return { ...io, out };
};

/** The help of each command opens with what a person would type. */
const addExamples = (command: Command, path: string): void => {
  const examples = COMMAND_EXAMPLES[path] ?? [];
  if (examples.length > 0) {
    const text = ['Examples:', ...examples.map((line) => `  ${line}`), ''].join('\n');
    command.addHelpText('before', text);
  }
  for (const sub of command.commands) addExamples(sub, `${path} ${sub.name()}`.trim());
};

const failed = (e: unknown, io: Io): ExitCode => {
  if (e instanceof CliError) {
    io.err(`pointsman: ${e.message}`);
    return e.exitCode;
  }
  if (e instanceof Error && 'code' in e && String(e.code).startsWith('commander.')) {
    // Commander has printed its message already; help on demand is no failure.
    return ['commander.helpDisplayed', 'commander.version'].includes(String(e.code)) ? EXIT.ok : EXIT.usage;
  }
  if (io.signal.aborted) return EXIT.timedOut;
  io.err(`pointsman: unexpected: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`);
  return EXIT.error;
};

const newProgram = (io: Io): Command =>
  new Command('pointsman')
    .description('Asks and tells the controllers that watch Kafka clusters and move traffic when one dies.')
    .option('-V, --version', 'print the version')
    .addHelpText('after', ['', ...AROUND.flatMap((line) => wrap(line, io.columns, '         '))].join('\n'))
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.out(text.replace(/\n$/, '')),
      writeErr: (text) => io.err(text.trimEnd()),
      getOutHelpWidth: () => io.columns,
      getErrHelpWidth: () => io.columns,
    })
    .exitOverride();

const addReads = (program: Command, io: Io, done: Done): void => {
  remote(program, 'status', 'the state of every group')
    .option('-w, --watch', 'again each second')
    .action(async (options: GlobalOptions & { watch?: boolean }) => {
      const { statusCommand } = await import('./commands/status.command.js');
      await done(statusCommand(options, io));
    });
  remote(program, 'explain', 'why a group is judged as it is')
    .argument('<group>')
    .option('--event <seq>', 'at this past decision event', wholeNumber)
    .action(async (group: string, options: GlobalOptions & { event?: number }) => {
      const { explainCommand } = await import('./commands/explain.command.js');
      await done(explainCommand(group, options, io));
    });
  remote(program, 'events', 'what happened')
    .option('-f, --follow', 'and what happens from now on')
    .option('--after <seq>', 'only events after this one', wholeNumber)
    .option('--limit <n>', 'how many', wholeNumber, 50)
    .option('--group <group>', 'of this group only')
    .action(async (options: GlobalOptions & { limit: number; follow?: boolean; after?: number; group?: string }) => {
      const { eventsCommand } = await import('./commands/events.command.js');
      await done(eventsCommand(options, io));
    });
};

type WriteFlags = GlobalOptions & {
  reason: string;
  by?: string;
  dryRun?: boolean;
  epoch?: number;
  idempotencyKey?: string;
  owner?: string;
  all?: boolean;
  expiresIn?: string;
  maxRecords?: number;
  maxDuration?: string;
  evidence?: string;
};
type FieldsOf = (o: WriteFlags) => WriteFields | Promise<WriteFields>;

const addWrites = (program: Command, io: Io, done: Done): void => {
  const write = (name: string, act: string, about: string, fields: FieldsOf): Command =>
    remote(program, name, about)
      .argument(act === 'pause' || act === 'resume' ? '[group]' : '<group>')
      .requiredOption('--reason <text>', 'why; kept in the audit')
      .option('--by <person>', 'who (default: the login name)')
      .option('--dry-run', 'say what would change, change nothing')
      .option('--epoch <n>', 'act only if the group is at this epoch (default: the present one)', wholeNumber)
      .option('--idempotency-key <key>', 'the same key does the act once (default: a new one)')
      .action(async (group: string | undefined, options: WriteFlags) => {
        if ((group === undefined) !== (options.all === true))
          throw new CliError('name a group, or say --all, one of them', EXIT.usage);
        if (group === undefined) {
          const { fleetCommand } = await import('./commands/fleet.command.js');
          return await done(fleetCommand(act === 'pause' ? act : 'resume', await fields(options), options, io));
        }
        const { writeCommand } = await import('./commands/write.command.js');
        await done(writeCommand(group, act, await fields(options), options, io));
      });
  const login = io.environment.user ?? undefined;
  write('pause', 'pause', 'stop automatic failover of a group, or of all, for a while', (o) => ({
    owner: o.owner ?? o.by ?? login,
    expiresIn: o.expiresIn,
  }))
    .requiredOption('--expires-in <duration>', 'ends by itself after, e.g. 2h')
    .option('--all', 'every group, also those that come later')
    .option('--owner <person>', 'who answers for the pause (default: --by)');
  write('resume', 'resume', 'end a pause; live state is judged with a fresh window', () => ({})).option(
    '--all',
    'the pause of everything; groups that are paused by themselves stay so',
  );
  write('ack', 'acknowledge', 'a person has looked: lifts cool-down, flapping and freeze', async ({ evidence }) => {
    if (evidence === undefined) return {};
    const { evidenceDigest } = await import('./break-glass/evidence-file.js');
    return { evidence: await evidenceDigest(evidence) };
  }).option('--evidence <file>', 'what break-glass left; its digest is kept in the audit');
  write('accept-loss', 'accept-loss', 'let a failover exceed the loss budget, up to a limit', (o) => ({
    maxRecords: o.maxRecords,
    maxDuration: o.maxDuration,
    expiresIn: o.expiresIn,
  }))
    .option('--max-records <n>', 'at most so many records', wholeNumber)
    .option('--max-duration <duration>', 'at most so much time, e.g. 90s')
    .requiredOption('--expires-in <duration>', 'ends by itself after, e.g. 30m');
};

const addLocal = (program: Command, io: Io, done: Done): void => {
  remote(program, 'doctor', 'check this machine, the controllers and configuration files')
    .option('--config <files...>', 'controller or agent configuration to check')
    .action(async (options: GlobalOptions & { config?: string[] }) => {
      const { doctorCommand } = await import('./commands/doctor.command.js');
      await done(doctorCommand(options, io));
    });
  program
    .command('simulate')
    .description('run a scenario file through the code that decides')
    .argument('<file>')
    .option('--explain', 'also explain the last decision of each scenario')
    .addOption(outputOption())
    .action(async (file: string, options: { output: 'table' | 'json'; explain?: boolean }) => {
      const { simulateCommand } = await import('./commands/simulate.command.js');
      await done(simulateCommand(file, options, io));
    });
};
