import type { ClusterName, Ms } from '#health';

/**
 * The conflict resolver: a record of the tail against the newest record with the same key that the active cluster got since.
 * Records without a key, or whose key nobody wrote since, are no conflict: they are always replayed.
 */

/** `text` null: a tombstone, or a value that is not text. */
export type Contender = Readonly<{
  cluster: ClusterName;
  timestampMs: Ms;
  tombstone: boolean;
  text: string | null;
}>;

export type Conflict = Readonly<{ topic: string; key: string; tail: Contender; current: Contender }>;

/** `tail`: write it behind the current one. `current`: leave it out. `merged`: write this instead. */
export type Resolution = Readonly<{ take: 'tail' } | { take: 'current' } | { take: 'merged'; text: string }>;

export type ResolverOptions = Readonly<{
  /** For `source-priority`: the first cluster of the list that is in the conflict wins. */
  priority: readonly ClusterName[];
  /** For `custom`: the operator's own rule. */
  custom: ((conflict: Conflict) => Resolution) | null;
}>;

type Strategy = Readonly<{ says: string; tie: string; resolve: (c: Conflict, o: ResolverOptions) => Resolution }>;

const TAIL: Resolution = { take: 'tail' };
const CURRENT: Resolution = { take: 'current' };

/** Clients have already read the current record; the tail's was never seen on the active cluster. */
const lastWriteWins = ({ tail, current }: Conflict): Resolution =>
  tail.timestampMs > current.timestampMs ? TAIL : CURRENT;

export const RESOLVER_STRATEGIES = {
  'last-write-wins': {
    says: 'the record with the later timestamp',
    tie: 'equal timestamps: the record on the active cluster, which clients have seen',
    resolve: lastWriteWins,
  },
  'source-priority': {
    says: "the record of the cluster that comes first in the order; the old cluster's by default, so every record of the tail is written",
    tie: 'neither cluster in the order: as last-write-wins',
    resolve: (c, { priority }) => {
      const first = priority.find((name) => name === c.tail.cluster || name === c.current.cluster);
      if (first === undefined) return lastWriteWins(c);
      return first === c.tail.cluster ? TAIL : CURRENT;
    },
  },
  merge: {
    says: 'both JSON objects, field by field; where both have a field, the later record has it',
    tie: "equal timestamps: the active cluster's field; not two JSON objects: as last-write-wins",
    resolve: (c) => mergeObjects(c) ?? lastWriteWins(c),
  },
  custom: {
    says: "the operator's own module",
    tie: 'as the module says',
    resolve: (c, { custom }) => {
      if (custom === null) throw new Error('strategy custom needs the resolver module of the agent’s configuration');
      return custom(c);
    },
  },
} as const satisfies Record<string, Strategy>;
export type ResolverStrategy = keyof typeof RESOLVER_STRATEGIES;

export const isResolverStrategy = (word: string): word is ResolverStrategy => Object.hasOwn(RESOLVER_STRATEGIES, word);

export const resolveConflict = (strategy: ResolverStrategy, c: Conflict, options: ResolverOptions): Resolution =>
  RESOLVER_STRATEGIES[strategy].resolve(c, options);

type JsonObject = { readonly [field: string]: unknown };

/** Null: not two JSON objects. Nested objects are merged too; anything else in both is the later record's. */
function mergeObjects({ tail, current }: Conflict): Resolution | null {
  const mine = parseObject(tail.text);
  const theirs = parseObject(current.text);
  if (mine === null || theirs === null) return null;
  const tailIsLater = tail.timestampMs > current.timestampMs;
  const text = JSON.stringify(union(theirs, mine, tailIsLater, 0));
  return text === JSON.stringify(theirs) ? CURRENT : { take: 'merged', text };
}

const MAX_DEPTH = 32;

/** In the order of the current record's fields: what changes nothing is then the same text. */
function union(current: JsonObject, tail: JsonObject, tailIsLater: boolean, depth: number): JsonObject {
  const fields = new Map<string, unknown>(Object.entries(current));
  for (const [field, value] of Object.entries(tail)) {
    const there = fields.get(field);
    const nested = depth < MAX_DEPTH && isObject(there) && isObject(value);
    if (nested) fields.set(field, union(there, value, tailIsLater, depth + 1));
    else if (tailIsLater || !fields.has(field)) fields.set(field, value);
  }
  return Object.fromEntries(fields);
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseObject(text: string | null): JsonObject | null {
  if (text === null) return null;
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : null;
  } catch {
    return null; // no JSON: the strategy's tie rule decides
  }
}
