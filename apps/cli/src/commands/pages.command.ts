import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { bashCompletion } from '../completion/bash.js';
import { flat, treeOf } from '../completion/command-tree.js';
import { fishCompletion } from '../completion/fish.js';
import { manPage, pageName } from '../completion/man.js';
import type { Shell } from '../completion/shells.js';
import { zshCompletion } from '../completion/zsh.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { cliVersion } from '../version.js';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export const completionCommand = async (program: Command, shell: Shell, io: Io): Promise<ExitCode> => {
  io.out(SCRIPTS[shell](treeOf(program)).trimEnd());
  return EXIT.ok;
};

export const manCommand = async (
  program: Command,
  path: readonly string[],
  options: Readonly<{ out?: string }>,
  io: Io,
): Promise<ExitCode> => {
  const tree = treeOf(program);
  const version = cliVersion();
  if (options.out !== undefined) {
    await mkdir(options.out, { recursive: true });
    for (const command of flat(tree)) {
      const file = join(options.out, `${pageName(command)}.1`);
      await writeFile(file, manPage(tree, command, version));
      io.out(file);
    }
    return EXIT.ok;
  }
  const wanted = flat(tree).find((command) => command.path === path.join(' '));
  if (wanted === undefined) throw new CliError(`no command ${path.join(' ')}: pointsman --help lists them`, EXIT.usage);
  io.out(manPage(tree, wanted, version).trimEnd());
  return EXIT.ok;
};
