import type { Shaper } from './shaper.js';

type Cells = ReadonlyMap<string, string>;

/**
 * Rows for cut, awk and spreadsheets. A body that is a list gives a row per item, and so does the first list of objects in a body;
 * any other gives one row. Members of members become columns with dots; a list of plain values is joined by commas, any other is
 * JSON. The first line names the columns; they stay the same for everything printed after it.
 */
export function tsvShaper(): Shaper {
  let columns: readonly string[] | null = null;
  return (json) => {
    const rows = rowsOf(JSON.parse(json)).map((row) => new Map(cellsOf(row, '')));
    if (rows.length === 0) return null;
    const head = columns === null;
    columns ??= [...new Set(rows.flatMap((row: Cells) => [...row.keys()]))];
    const known = columns;
    const lines = rows.map((row: Cells) => known.map((column) => row.get(column) ?? '').join('\t'));
    return [...(head ? [known.join('\t')] : []), ...lines].join('\n');
  };
}

function rowsOf(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body;
  if (!isObject(body)) return [body];
  const members: readonly unknown[] = Object.values(body);
  const list = members.find((value) => Array.isArray(value) && value.length > 0 && value.every(isObject));
  if (Array.isArray(list)) return list;
  const [only] = members;
  return members.length === 1 && Array.isArray(only) ? only : [body];
}

function cellsOf(value: unknown, at: string): readonly (readonly [string, string])[] {
  if (isObject(value)) {
    return Object.entries(value).flatMap(([key, inner]) => cellsOf(inner, at === '' ? key : `${at}.${key}`));
  }
  return [[at === '' ? 'value' : at, escaped(plain(value))]];
}

const plain = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.some((item) => typeof item === 'object' && item !== null) ? JSON.stringify(items) : items.join(',');
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** One row stays one line, and one cell one cell. */
const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r');

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
