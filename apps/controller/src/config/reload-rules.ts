import type { RawControllerConfig } from './schema.js';

/**
 * What may change while the controller runs. Everything else was built into connections, identities and what agents
 * watch: another value there takes a restart, one controller after the other.
 */
const LIVE_KEYS: readonly RegExp[] = [
  /^log\.level$/,
  /^store\.retention$/,
  /^sagaMaxOpen$/,
  /^groups\.\d+\.mode$/,
  /^groups\.\d+\.policy\./,
];

type Path = readonly PropertyKey[];
type Change = Readonly<{ path: Path; key: string }>;

/** Paths at which the two differ, in the order of the newer file; what is gone from it comes last. */
export function changesBetween(before: RawControllerConfig, after: RawControllerConfig): readonly Change[] {
  const [old, now] = [leavesOf(before), leavesOf(after)];
  const paths = new Map([...now, ...old].map(([key, leaf]) => [key, leaf.path]));
  return [...paths]
    .filter(([key]) => old.get(key)?.value !== now.get(key)?.value)
    .map(([key, path]) => ({ path, key }));
}

/** Each change that needs a restart, as a broken rule with its place. */
export const refusedLive = (
  before: RawControllerConfig,
  after: RawControllerConfig,
): readonly Readonly<{ path: Path; message: string }>[] =>
  changesBetween(before, after)
    .filter(({ key }) => !LIVE_KEYS.some((live) => live.test(key)))
    .map(({ path }) => ({
      path,
      message: 'cannot change while the controller runs: restart it, one controller after the other',
    }));

type Leaf = Readonly<{ path: Path; value: string }>;

function leavesOf(value: unknown, path: Path = []): ReadonlyMap<string, Leaf> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    return value === undefined ? new Map() : new Map([[path.join('.'), { path, value: JSON.stringify(value) }]]);
  }
  const parts: readonly (readonly [PropertyKey, unknown])[] = Array.isArray(value)
    ? value.map((item: unknown, i) => [i, item] as const)
    : Object.entries(value);
  return new Map(parts.flatMap(([key, inner]) => [...leavesOf(inner, [...path, key])]));
}
