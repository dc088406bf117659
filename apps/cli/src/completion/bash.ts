import { flat, type TreeCommand, type TreeValue } from './command-tree.js';

/** A bash completion that asks nobody: no controller is called at the press of a key. */
export function bashCompletion(tree: TreeCommand): string {
  const all = flat(tree);
  const paths = all.filter((c) => c.path !== '').map((c) => quoted(c.path));
  return [
    '# bash completion of pointsman; made by: pointsman completion bash',
    '_pointsman() {',
    '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" verb="" i',
    '  COMPREPLY=()',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case "${verb:+$verb }${COMP_WORDS[i]}" in',
    `      ${paths.join('|')}) verb="\${verb:+$verb }\${COMP_WORDS[i]}" ;;`,
    '    esac',
    '  done',
    '  case "$verb:$prev" in',
    ...all.flatMap(valueCases),
    '  esac',
    '  case "$verb" in',
    ...all.map(wordCase),
    '  esac',
    '}',
    'complete -F _pointsman pointsman',
    '',
  ].join('\n');
}

/** Behind an option that takes a value only the value is offered; what nobody can guess is offered nothing. */
function valueCases({ path, options }: TreeCommand): readonly string[] {
  return options.flatMap(({ flags, value }) => {
    if (value === null) return [];
    const at = flags.map((flag) => quoted(`${path}:${flag}`)).join('|');
    return [`    ${at}) ${offer(value) ?? ':'}; return ;;`];
  });
}

function wordCase({ path, options, commands, arguments: places }: TreeCommand): string {
  const flags = options.flatMap((o) => o.flags.filter((flag) => flag.startsWith('--')));
  const words = [...commands.map((c) => c.name), ...places.flatMap((p) => p.value.choices)];
  const files = places.some((p) => p.value.files) ? ' COMPREPLY+=($(compgen -f -- "$cur"));' : '';
  return (
    `    ${quoted(path)}) if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W ${quoted(flags.join(' '))} -- "$cur")); ` +
    `else COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$cur"));${files} fi ;;`
  );
}

function offer({ choices, files }: TreeValue): string | null {
  if (choices.length > 0) return `COMPREPLY=($(compgen -W ${quoted(choices.join(' '))} -- "$cur"))`;
  return files ? 'COMPREPLY=($(compgen -f -- "$cur"))' : null;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
