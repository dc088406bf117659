import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { offsetOf, pathText, position } from './place.js';
import { readText } from './read-text.js';

/** One thing wrong in a configuration file, at the place where a person must look. */
export type ConfigProblem = Readonly<{ file: string; line: number; column: number; path: string; message: string }>;

/** Every problem of a configuration file at once; the message has one line per problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(problems.map(formatProblem).join('\n'));
  }
}

const formatProblem = (p: ConfigProblem): string =>
  `${p.file}:${p.line}:${p.column} ${p.path === '' ? '' : `${p.path}: `}${p.message}`;

/**
 * Reads a YAML file and validates it with a strict schema. Refuses with all problems at once ({@link ConfigError}).
 * @param check cross-field rules on the parsed value: path and message of each broken one
 */
export function loadConfigFile<S extends z.ZodType>(
  file: string,
  schema: S,
  check: (value: z.output<S>) => readonly { path: readonly PropertyKey[]; message: string }[] = () => [],
): z.output<S> {
  return parseConfig(readConfigText(file), file, schema, check);
}

/** The text of a configuration file. Throws {@link ConfigError} if it cannot be read. */
export function readConfigText(file: string): string {
  try {
    return readText(file);
  } catch (error) {
    const reason =
      error instanceof RangeError
        ? error.message
        : error instanceof Error && 'code' in error && error.code === 'ENOENT'
          ? 'no such file'
          : String(error);
    throw new ConfigError([
      { file, line: 1, column: 1, path: '', message: `${reason}; name a readable file with --config` },
    ]);
  }
}

/** As {@link loadConfigFile}, on text already read. */
export function parseConfig<S extends z.ZodType>(
  text: string,
  file: string,
  schema: S,
  check: (value: z.output<S>) => readonly { path: readonly PropertyKey[]; message: string }[] = () => [],
): z.output<S> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((e) => ({
        file,
        ...position(lines, e.pos[0]),
        path: '',
        message: e.message.split('\n')[0] ?? e.code,
      })),
    );
  }
  const at = (path: readonly PropertyKey[]): { line: number; column: number } =>
    position(lines, offsetOf(document, path));
  const parsed = schema.safeParse(document.toJS());
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.flatMap((issue) => problemsOf(issue, file, at)).toSorted(byPlace));
  }
  const broken = check(parsed.data);
  if (broken.length > 0) {
    throw new ConfigError(
      broken.map((b) => ({ file, ...at(b.path), path: pathText(b.path), message: b.message })).toSorted(byPlace),
    );
  }
  return parsed.data;
}

function problemsOf(
  issue: z.core.$ZodIssue,
  file: string,
  at: (path: readonly PropertyKey[]) => { line: number; column: number },
): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return { file, ...at(path), path: pathText(path), message: 'unknown key: check its spelling and place' };
    });
  }
  const message = issue.message.replace(/^Invalid input: expected (.+), received undefined$/, 'is required ($1)');
  return [{ file, ...at(issue.path), path: pathText(issue.path), message }];
}

const byPlace = (a: ConfigProblem, b: ConfigProblem): number => a.line - b.line || a.column - b.column;
