import { flat, type TreeCommand, type TreeValue } from './command-tree.js';

/** A zsh completion with the descriptions; as a file in $fpath, or read with `source`. */
export function zshCompletion(tree: TreeCommand): string {
  const all = flat(tree);
  const paths = all.filter((c) => c.path !== '').map((c) => quoted(c.path));
  return [
    '#compdef pointsman',
    '# made by: pointsman completion zsh',
    '_pointsman() {',
    '  local verb="" word prev="${words[CURRENT-1]}"',
    '  local -a subcommands options',
    '  for word in "${(@)words[2,CURRENT-1]}"; do',
    '    case "${verb:+$verb }$word" in',
    `      (${paths.join('|')}) verb="\${verb:+$verb }$word" ;;`,
    '    esac',
    '  done',
    '  case "$verb:$prev" in',
    ...all.flatMap(valueCases),
    '  esac',
    '  case "$verb" in',
    ...all.map(wordCase),
    '  esac',
    '}',
    'if [[ "${funcstack[1]}" == _pointsman ]]; then _pointsman "$@"; else compdef _pointsman pointsman; fi',
    '',
  ].join('\n');
}

function valueCases({ path, options }: TreeCommand): readonly string[] {
  return options.flatMap(({ flags, value }) => {
    if (value === null) return [];
    const at = flags.map((flag) => quoted(`${path}:${flag}`)).join('|');
    return [`    (${at}) ${offer(value) ?? ':'}; return ;;`];
  });
}

function wordCase({ path, options, commands, arguments: places }: TreeCommand): string {
  const flags = options.flatMap((o) => o.flags.map((flag) => described(flag, o.description)));
  const words = [
    ...commands.map((c) => described(c.name, c.description)),
    ...places.flatMap((p) => p.value.choices.map((choice) => described(choice, p.value.name))),
  ];
  const offers = [
    ...(words.length === 0 ? [] : ["_describe 'command' subcommands"]),
    ...(places.some((p) => p.value.files) ? ['_files'] : []),
  ];
  return [
    `    (${quoted(path)})`,
    `      options=(${flags.join(' ')})`,
    `      subcommands=(${words.join(' ')})`,
    `      if [[ "$PREFIX" == -* ]]; then _describe 'option' options; else ${offers.join('; ') || ':'}; fi ;;`,
  ].join('\n');
}

function offer({ choices, files }: TreeValue): string | null {
  if (choices.length > 0) return `compadd -- ${choices.map(quoted).join(' ')}`;
  return files ? '_files' : null;
}

const described = (word: string, says: string): string => quoted(`${word.replaceAll(':', '\\:')}:${says}`);
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
