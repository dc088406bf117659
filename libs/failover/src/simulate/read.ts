import type { Ms } from '#health';

/** A scenario file that cannot be understood; the path says where. */
export class ScenarioError extends Error {
  readonly code = 'SCENARIO_INVALID';

  constructor(path: string, expected: string) {
    super(`${path}: ${expected}`);
    this.name = 'ScenarioError';
  }
}

export type Obj = Readonly<Record<string, unknown>>;

/** An object with no keys but these; an unknown key is an error, because a typo must not pass as "not said". */
export function objectOf(value: unknown, path: string, known: readonly string[] | null): Obj {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ScenarioError(path, 'expected an object');
  const unknownKey = known === null ? undefined : Object.keys(value).find((k) => !known.includes(k));
  if (unknownKey !== undefined)
    throw new ScenarioError(`${path}.${unknownKey}`, `unknown; known: ${known?.join(', ')}`);
  return { ...value };
}

export function textOf(value: unknown, path: string): string {
  if (typeof value !== 'string' || value === '') throw new ScenarioError(path, 'expected a text');
  return value;
}

export function numberOf(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new ScenarioError(path, 'expected a number');
  return value;
}

export function flagOf(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw new ScenarioError(path, 'expected true or false');
  return value;
}

export function oneOf<T extends string>(value: unknown, path: string, allowed: readonly T[]): T {
  const found = allowed.find((a) => a === value);
  if (found === undefined) throw new ScenarioError(path, `expected one of ${allowed.join(', ')}`);
  return found;
}

export function listOf<T>(value: unknown, path: string, item: (v: unknown, p: string) => T): readonly T[] {
  if (!Array.isArray(value)) throw new ScenarioError(path, 'expected a list');
  return value.map((v: unknown, i) => item(v, `${path}[${i}]`));
}

export function recordOf<T>(
  value: unknown,
  path: string,
  item: (v: unknown, p: string) => T,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(objectOf(value, path, null)).map(([k, v]) => [k, item(v, `${path}.${k}`)]));
}

/** Applies `read` to a part that may be absent. */
export const maybe = <T>(value: unknown, path: string, read: (v: unknown, p: string) => T): T | undefined =>
  value === undefined ? undefined : read(value, path);

export const orNull =
  <T>(read: (v: unknown, p: string) => T) =>
  (value: unknown, path: string): T | null =>
    value === null ? null : read(value, path);

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `500ms`, `1.5s`, `10m`, `1h` → ms. */
export function durationOf(value: unknown, path: string): Ms {
  const parts = typeof value === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value) : null;
  const unit = UNITS[parts?.[2] ?? ''];
  if (parts?.[1] === undefined || unit === undefined)
    throw new ScenarioError(path, 'expected a duration like 500ms, 30s, 10m');
  return Number(parts[1]) * unit;
}

/** Leaves out what is undefined, so that absent keys stay absent. */
export function present<T extends object>(value: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> {
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}
