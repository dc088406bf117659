import type { Argument, Command, Option } from 'commander';

/** What may stand behind an option or in an argument's place. `files`: names of files or folders complete it. */
export type TreeValue = Readonly<{ name: string; choices: readonly string[]; files: boolean }>;

export type TreeOption = Readonly<{
  flags: readonly string[]; // `-o`, `--output`
  value: TreeValue | null; // null: a switch
  required: boolean;
  description: string;
}>;

export type TreeArgument = Readonly<{ value: TreeValue; required: boolean; variadic: boolean }>;

/** One command as people type it; the root's path is empty. */
export type TreeCommand = Readonly<{
  path: string;
  name: string;
  description: string;
  arguments: readonly TreeArgument[];
  options: readonly TreeOption[];
  commands: readonly TreeCommand[];
}>;

const FILES = /^(file|files|folder)$/;

/** The tree as plain data: what completions and man pages are made of, and a test compares them with. */
export function treeOf(command: Command, path = ''): TreeCommand {
  return {
    path,
    name: command.name(),
    description: command.description(),
    arguments: command.registeredArguments.map(argumentOf),
    options: [...command.options.filter((o) => !o.hidden).map(optionOf), HELP],
    commands: command.commands.map((sub) => treeOf(sub, `${path} ${sub.name()}`.trim())),
  };
}

/** The command and everything below it. */
export const flat = (tree: TreeCommand): readonly TreeCommand[] => [tree, ...tree.commands.flatMap(flat)];

const HELP: TreeOption = {
  flags: ['-h', '--help'],
  value: null,
  required: false,
  description: 'what it does, with examples',
};

function optionOf(option: Option): TreeOption {
  const takes = option.required || option.optional;
  const name = /[<[]([\w:-]+)/.exec(option.flags)?.[1] ?? 'value';
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
    value: takes ? valueOf(name, option.argChoices) : null,
    required: option.mandatory,
    description: option.description,
  };
}

const argumentOf = (argument: Argument): TreeArgument => ({
  value: valueOf(argument.name(), argument.argChoices),
  required: argument.required,
  variadic: argument.variadic,
});

const valueOf = (name: string, choices: readonly string[] | undefined): TreeValue => ({
  name,
  choices: choices ?? [],
  files: FILES.test(name),
});
