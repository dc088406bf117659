import { stringify } from 'yaml';

/**
 * The few words of Helm's templates that our chart uses, so that the chart can be rendered where there is no Helm:
 * paths, `toYaml X | nindent N`, `range`, `with`, `if`, `end`, and `{{-`. Anything else throws: a chart that needs more
 * must be tried with Helm itself.
 */
export function renderTemplate(text: string, values: unknown): string {
  const root: Scope = { Values: values };
  const { nodes, rest } = parse(tokens(text), false);
  if (rest.length > 0) throw new Error('an end without a beginning');
  return render(nodes, root, root);
}

type Scope = unknown;
type Token = Readonly<{ kind: 'text' | 'action'; text: string }>;
type Node =
  | Readonly<{ kind: 'text'; text: string }>
  | Readonly<{ kind: 'value'; path: string; indent: number | null }>
  | Readonly<{ kind: 'range' | 'with' | 'if'; path: string; body: readonly Node[] }>;

const PATH = String.raw`(\.|\$?(?:\.\w+)+)`;
const VALUE = new RegExp(`^${PATH}$`);
const YAML = new RegExp(String.raw`^toYaml ${PATH} \| nindent (\d+)$`);
const BLOCK = new RegExp(`^(range|with|if) ${PATH}$`);

function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  for (const match of text.matchAll(/\{\{(-?)\s*(.*?)\s*\}\}/g)) {
    const before = text.slice(at, match.index);
    found.push({ kind: 'text', text: match[1] === '-' ? before.trimEnd() : before });
    found.push({ kind: 'action', text: match[2] ?? '' });
    at = match.index + match[0].length;
  }
  return [...found, { kind: 'text', text: text.slice(at) }];
}

function parse(list: readonly Token[], inside: boolean): { nodes: Node[]; rest: readonly Token[] } {
  const nodes: Node[] = [];
  let rest = list;
  while (rest.length > 0) {
    const [token, ...after] = rest;
    rest = after;
    if (token === undefined) break;
    if (token.kind === 'text') {
      nodes.push({ kind: 'text', text: token.text });
      continue;
    }
    if (token.text === 'end' && inside) return { nodes, rest };
    const [, kind, path] = BLOCK.exec(token.text) ?? [];
    if ((kind === 'range' || kind === 'with' || kind === 'if') && path !== undefined) {
      const block = parse(rest, true);
      nodes.push({ kind, path, body: block.nodes });
      rest = block.rest;
    } else nodes.push(valueNode(token.text));
  }
  if (inside) throw new Error('a block without an end');
  return { nodes, rest };
}

function valueNode(action: string): Node {
  const yaml = YAML.exec(action);
  if (yaml?.[1] !== undefined) return { kind: 'value', path: yaml[1], indent: Number(yaml[2]) };
  const path = VALUE.exec(action)?.[1];
  if (path === undefined) throw new Error(`not in the subset of Helm that is rendered here: {{ ${action} }}`);
  return { kind: 'value', path, indent: null };
}

const render = (nodes: readonly Node[], dot: Scope, root: Scope): string =>
  nodes.map((node) => renderNode(node, dot, root)).join('');

function renderNode(node: Node, dot: Scope, root: Scope): string {
  if (node.kind === 'text') return node.text;
  const value = lookUp(node.path, dot, root);
  if (node.kind === 'value') return node.indent === null ? scalar(node.path, value) : nindent(value, node.indent);
  if (node.kind === 'range') {
    if (!Array.isArray(value)) throw new Error(`range over ${node.path}, which is no list`);
    return value.map((item: unknown) => render(node.body, item, root)).join('');
  }
  return isEmpty(value) ? '' : render(node.body, node.kind === 'with' ? value : dot, root);
}

/** As Go's templates have it: nothing, false, a list or a map without entries. */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  (typeof value === 'object' && Object.keys(value).length === 0);

function lookUp(path: string, dot: Scope, root: Scope): unknown {
  const keys = path.replace('$', '').split('.').filter(Boolean);
  return keys.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    path.startsWith('$') ? root : dot,
  );
}

function scalar(path: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`${path} is no scalar: ${JSON.stringify(value)}`);
}

function nindent(value: unknown, spaces: number): string {
  const lines = stringify(value, { aliasDuplicateObjects: false }).trimEnd().split('\n');
  return `\n${lines.map((line) => ' '.repeat(spaces) + line).join('\n')}`;
}
