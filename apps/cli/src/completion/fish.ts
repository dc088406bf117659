import { flat, type TreeCommand, type TreeOption } from './command-tree.js';

/** A fish completion with the descriptions. */
export function fishCompletion(tree: TreeCommand): string {
  const all = flat(tree);
  const paths = all.filter((c) => c.path !== '').map((c) => quoted(c.path));
  return [
    '# fish completion of pointsman; made by: pointsman completion fish',
    'function __pointsman_at',
    "  set -l verb ''",
    '  for word in (commandline -opc)[2..-1]',
    '    set -l candidate (string trim -- "$verb $word")',
    `    if contains -- "$candidate" ${paths.join(' ')}`,
    '      set verb $candidate',
    '    end',
    '  end',
    '  test "$verb" = "$argv[1]"',
    'end',
    'complete -c pointsman -f',
    ...all.flatMap(lines),
    '',
  ].join('\n');
}

function lines(command: TreeCommand): readonly string[] {
  const at = `complete -c pointsman -n ${quoted(`__pointsman_at ${quoted(command.path)}`)}`;
  const places = command.arguments.map((a) => a.value);
  const choices = places.flatMap((value) => value.choices);
  return [
    ...command.commands.map((sub) => `${at} -a ${quoted(sub.name)} -d ${quoted(sub.description)}`),
    ...(choices.length === 0 ? [] : [`${at} -a ${quoted(choices.join(' '))}`]),
    ...(places.some((value) => value.files) ? [`${at} -F`] : []),
    ...command.options.map((option) => `${at} ${optionWords(option)}`),
  ];
}

function optionWords({ flags, value, description }: TreeOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const takes =
    value === null
      ? []
      : value.choices.length > 0
        ? [`-x -a ${quoted(value.choices.join(' '))}`]
        : [value.files ? '-r -F' : '-x'];
  return [...names, ...takes, `-d ${quoted(description)}`].join(' ');
}

/** Inside single quotes fish knows only two escapes. */
const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
