import { COMMAND_EXAMPLES } from '../examples.js';
import { EXIT, EXIT_MEANS } from '../exit-codes.js';
import { flat, type TreeArgument, type TreeCommand, type TreeOption } from './command-tree.js';

/** `pointsman`, `pointsman-audit-verify` */
export const pageName = (command: TreeCommand): string =>
  ['pointsman', ...command.path.split(' ')].filter(Boolean).join('-');

/** One man page as roff: of the root the overview of all, of any other command its own. */
export function manPage(tree: TreeCommand, command: TreeCommand, version: string): string {
  const title = pageName(command);
  const examples = COMMAND_EXAMPLES[command.path] ?? [];
  return [
    `.TH ${title.toUpperCase().replaceAll('-', '\\-')} 1 "" "pointsman ${version}" "Pointsman"`,
    '.SH NAME',
    `${escaped(title)} \\- ${escaped(firstLine(command.description))}`,
    '.SH SYNOPSIS',
    synopsis(command),
    '.SH DESCRIPTION',
    escaped(command.description),
    ...section('COMMANDS', (command.path === '' ? flat(tree).slice(1) : command.commands).map(subcommand)),
    ...section('OPTIONS', command.options.map(optionText)),
    ...section('EXAMPLES', examples.length === 0 ? [] : ['.nf', ...examples.map(escaped), '.fi']),
    ...section('EXIT STATUS', command.path === '' ? exitLines() : [seeRoot('The same for every command')]),
    ...section('SEE ALSO', seeAlso(tree, command)),
    '',
  ].join('\n');
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`.SH ${title}`, ...lines];

function synopsis({ path, options, arguments: places, commands }: TreeCommand): string {
  const needed = options.filter((o) => o.required).map((o) => `${bold(o.flags.at(-1) ?? '')} ${valueText(o)}`);
  const rest = commands.length > 0 ? ['\\fIcommand\\fR'] : [];
  return [
    bold(`pointsman${path === '' ? '' : ` ${path}`}`),
    ...rest,
    ...places.map(place),
    ...needed,
    '[options]',
  ].join(' ');
}

const place = ({ value, required, variadic }: TreeArgument): string => {
  const name = `\\fI${escaped(value.name)}\\fR${variadic ? '...' : ''}`;
  return required ? name : `[${name}]`;
};

const subcommand = ({ path, description }: TreeCommand): string => `.TP\n${bold(path)}\n${escaped(description)}`;

function optionText(option: TreeOption): string {
  const names = option.flags.map(bold).join(', ');
  const value = option.value === null ? '' : ` ${valueText(option)}`;
  const choices = option.value?.choices ?? [];
  const oneOf = choices.length === 0 ? '' : ` (${choices.join(', ')})`;
  return `.TP\n${names}${value}\n${escaped(`${option.description}${oneOf}`)}`;
}

const valueText = ({ value }: TreeOption): string => `\\fI${escaped(value?.name ?? '')}\\fR`;

const exitLines = (): readonly string[] =>
  Object.entries(EXIT_MEANS).map(
    ([name, means]) => `.TP\n${bold(String(EXIT[name as keyof typeof EXIT]))}\n${escaped(means)}`,
  );

const seeRoot = (says: string): string => `${escaped(says)}: ${bold('pointsman')}(1).`;

function seeAlso(tree: TreeCommand, command: TreeCommand): readonly string[] {
  const related = command.path === '' ? flat(tree).slice(1) : [tree, ...command.commands];
  return [related.map((c) => `${bold(pageName(c))}(1)`).join(', ')];
}

const firstLine = (text: string): string => text.replace(/\.$/, '').split('\n')[0] ?? '';
const bold = (text: string): string => `\\fB${escaped(text)}\\fR`;

/** Backslashes, hyphens that are to be typed as such, and a line that would begin as a request. */
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1');
