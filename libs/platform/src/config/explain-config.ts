import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { formatDuration, isDuration } from './duration.js';
import { maskSecrets } from './mask-secrets.js';
import { offsetOf, pathText, position } from './place.js';

/** One key of a configuration in force. `origin`: `file:line:column`, `default`, or what an app adds (its environment). */
export type EffectiveValue = Readonly<{ path: string; value: string; origin: string }>;

type Path = readonly PropertyKey[];
type Schema = z.core.$ZodType;

/**
 * Every key that is in force, in the order of the schema, as a person would write it, with where it comes from.
 * @param value what the schema made of the text: {@link parseConfig} has accepted it
 */
export function explainConfig(text: string, file: string, schema: Schema, value: unknown): readonly EffectiveValue[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const raw: unknown = document.toJS();
  return leaves(value, []).map(({ path, value: effective }) => {
    const written = at(raw, path);
    if (written === undefined) {
      return { path: pathText(path), value: shown(inWords(effective, schema, path)), origin: 'default' };
    }
    const { line, column } = position(lines, offsetOf(document, path));
    return { path: pathText(path), value: shown(written), origin: `${file}:${line}:${column}` };
  });
}

/** Scalars, and lists of scalars as one. What is not set at all is no leaf. */
function leaves(value: unknown, path: Path): readonly Readonly<{ path: Path; value: unknown }>[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const flat = items.every((item) => typeof item !== 'object' || item === null);
    return flat ? [{ path, value }] : items.flatMap((item, i) => leaves(item, [...path, i]));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
  }
  return [{ path, value }];
}

const at = (raw: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (node, part) => (typeof node === 'object' && node !== null ? Reflect.get(node, part) : undefined),
    raw,
  );

const shown = (value: unknown): string => {
  if (typeof value === 'string') return maskSecrets(value);
  if (!Array.isArray(value)) return JSON.stringify(value);
  return `[${value.map((item: unknown) => (typeof item === 'string' ? maskSecrets(item) : JSON.stringify(item))).join(', ')}]`;
};

/** A default is kept as the parsed value: a duration in milliseconds is turned back into words. */
const inWords = (value: unknown, schema: Schema, path: Path): unknown =>
  typeof value === 'number' && schemasAt(schema, path).some(isDuration) ? formatDuration(value) : value;

/** The schemas that may be meant at `path`; several where a union is not decided. */
function schemasAt(schema: Schema, path: Path): readonly Schema[] {
  const { def } = schema._zod as Readonly<{ def: z.core.$ZodTypes['_zod']['def'] }>;
  if ('innerType' in def) return schemasAt(def.innerType, path); // default, prefault, optional and the like
  if (def.type === 'union') return def.options.flatMap((option) => schemasAt(option, path));
  const [head, ...rest] = path;
  if (head === undefined) return [schema];
  if (def.type === 'array') return schemasAt(def.element, rest);
  const inner = def.type === 'object' ? def.shape[String(head)] : undefined;
  return inner === undefined ? [] : schemasAt(inner, rest);
}
