import { readText } from '#platform';
import { askApp } from './ask-app.js';
import type { Check } from './check.js';

const KIND = /^kind:\s*["']?(Controller|Agent)["']?\s*(#.*)?$/m;

/** One key in force; `origin` is `file:line:column`, `default` or the app's environment. */
export type EffectiveValue = Readonly<{ path: string; value: string; origin: string }>;

type Target = Readonly<{ kind: 'Controller' | 'Agent' } | { unreadable: string; remedy: string }>;

/**
 * Lets the application that will read the file judge it: the same code, of the same version, and no configuration rule
 * lives twice. Its checker prints one line per problem.
 */
export const checkConfigFile = async (file: string, signal: AbortSignal): Promise<Check[]> => {
  const target = kindOf(file);
  if ('unreadable' in target) {
    return [{ name: `config ${file}`, ok: false, found: target.unreadable, remedy: target.remedy }];
  }
  const { refused, lines } = await askApp(target.kind, 'config/check', file, { signal });
  if (!refused)
    return [{ name: `config ${file}`, ok: true, found: `a valid ${target.kind} configuration`, remedy: null }];
  return lines.map((line) => ({ name: 'config', ok: false, found: line, remedy: null }));
};

/** What the application would run with, or one line per problem of the file. */
export const showConfigFile = async (
  file: string,
  signal: AbortSignal,
): Promise<Readonly<{ values: readonly EffectiveValue[] } | { problems: readonly string[] }>> => {
  const target = kindOf(file);
  if ('unreadable' in target) return { problems: [`${file}: ${target.unreadable}; ${target.remedy}`] };
  const { refused, lines } = await askApp(target.kind, 'config/show', file, { signal });
  return refused ? { problems: lines } : { values: JSON.parse(lines.join('')) as readonly EffectiveValue[] };
};

/** Whose file it is. */
export const kindOf = (file: string): Target => {
  let text: string;
  try {
    text = readText(file);
  } catch (e) {
    return { unreadable: e instanceof Error ? e.message : String(e), remedy: 'name a readable file' };
  }
  const kind = KIND.exec(text)?.[1];
  return kind === 'Controller' || kind === 'Agent'
    ? { kind }
    : { unreadable: 'no kind: Controller or kind: Agent in it', remedy: 'say which of the two it is' };
};
