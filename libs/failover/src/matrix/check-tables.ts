import {
  sampleFields,
  sampleFlow,
  sampleGroup,
  type SampleIdc,
  sampleSnapshot,
  sampleVotes,
  VOTE_SHAPES,
  type VoteShape,
} from '../simulate/sample-snapshot.js';
import type { Policy, Snapshot } from './facts.js';
import { ACTION_GOALS, AGENT_GOALS } from './goals.js';
import { compilePolicy } from './policy.js';
import { matches, type Row } from './row.js';
import { situationOf } from './situation.js';
import { TABLES } from './tables.js';

/** Votes of the agents in a, b and c on the active cluster a. */
export type Combination = Readonly<Record<SampleIdc, VoteShape>>;

/** All 343: three votes, seven states each. */
export const COMBINATIONS: readonly Combination[] = VOTE_SHAPES.flatMap((a) =>
  VOTE_SHAPES.flatMap((b) => VOTE_SHAPES.map((c) => ({ a, b, c }))),
);

/** Circumstances beside the votes that rows ask about; each is crossed with every combination. */
type Variant = Readonly<{ name: string; with: (snapshot: Snapshot) => Snapshot }>;

const withFields = (snapshot: Snapshot, over: Parameters<typeof sampleFields>[0]): Snapshot => ({
  ...snapshot,
  votes: {
    ...snapshot.votes,
    a: Object.fromEntries(
      Object.entries(snapshot.votes['a'] ?? {}).map(([agent, vote]) => [
        agent,
        vote.state === 'DEGRADED' ? { ...vote, fields: sampleFields(over) } : vote,
      ]),
    ),
  },
});

const withGroup = (snapshot: Snapshot, over: Parameters<typeof sampleGroup>[0]): Snapshot => ({
  ...snapshot,
  group: sampleGroup(over),
});

const hotStandby = (offline: number) => ({ total: 12, offline, underReplicated: offline, underMinIsr: offline });

const VARIANTS: readonly Variant[] = [
  { name: 'in order', with: (s) => s },
  { name: 'mode approve', with: (s) => withGroup(s, { mode: 'approve' }) },
  { name: 'mode observe', with: (s) => withGroup(s, { mode: 'observe' }) },
  {
    name: 'target not fit',
    with: (s) => ({ ...s, votes: { ...s.votes, b: sampleVotes({ a: 'up', b: 'no-service', c: 'up' }) } }),
  },
  { name: 'lag unknown', with: (s) => ({ ...s, flows: [] }) },
  { name: 'lag of 400 s', with: (s) => ({ ...s, flows: [sampleFlow({ lagRecords: null, lagMs: 400_000 })] }) },
  { name: 'lag of 100 s', with: (s) => ({ ...s, flows: [sampleFlow({ lagRecords: 1, lagMs: 100_000 })] }) },
  { name: 'center not writable', with: (s) => ({ ...s, configCenter: { writableAgeMs: null, error: 'refused' } }) },
  {
    name: 'active fenced',
    with: (s) => ({ ...s, fences: [{ cluster: 'a', state: 'fenced', kind: 'topic-config', epoch: 1, ageMs: 500 }] }),
  },
  { name: 'old primary back', with: (s) => withGroup(s, { rejoin: ['b'] }) },
  {
    name: 'observer long lost',
    with: (s) => ({ ...s, memory: { ...s.memory, active: 'a', missingSinceMs: { 'agent-c': 0 } } }),
  },
  {
    name: 'the copy has a gap',
    with: (s) => ({
      ...s,
      flows: [
        sampleFlow({
          gaps: [{ topic: 'orders', partition: 0, kind: 'purged', records: 41, downstream: 70, ageMs: 5_000 }],
        }),
      ],
    }),
  },
  { name: 'one partition offline', with: (s) => withFields(s, { hotStandby: hotStandby(1) }) },
  { name: 'half of the partitions offline', with: (s) => withFields(s, { hotStandby: hotStandby(6) }) },
  { name: 'no brokers by metadata', with: (s) => withFields(s, { activeBrokers: 0, answeringBrokers: 0 }) },
];

const targetVotes = sampleVotes({ a: 'up', b: 'up', c: 'up' });

export const snapshotOf = (combination: Combination): Snapshot =>
  sampleSnapshot({ votes: { a: sampleVotes(combination, 90_000), b: targetVotes } });

const policyOf = (preset: Policy['preset']): Policy =>
  compilePolicy({ preset, maxRpo: { records: 10_000, durationMs: 30_000 } });

function numbering(table: readonly Row[]): readonly string[] {
  const problems: string[] = [];
  for (const [i, row] of table.entries()) {
    const before = table[i - 1];
    if (before !== undefined && before.id >= row.id) problems.push(`row ${row.id} does not follow row ${before.id}`);
    if ((row.when.length === 0) !== (i === table.length - 1))
      problems.push(`row ${row.id}: only the last is everything else`);
  }
  const names = new Set(table.map((r) => r.name));
  return names.size === table.length ? problems : [...problems, 'two rows share a name'];
}

function unknownGoals(table: readonly Row[], known: readonly string[]): readonly string[] {
  return table.flatMap((row) =>
    ACTION_GOALS[row.action]
      .filter((g) => !known.includes(g))
      .map((g) => `row ${row.id} commands ${g}, unknown to agents`),
  );
}

const distinct = ({ a, b, c }: Combination): number => new Set([a, b, c]).size;

/** The plainest votes first: nearly every row is met among those, and the check ends as soon as all are. */
const PLAINEST_FIRST = COMBINATIONS.toSorted((x, y) => distinct(x) - distinct(y));

/** Rows that are nobody's first match over all combinations and variants. */
function shadowed(preset: Policy['preset']): readonly string[] {
  const policy = policyOf(preset);
  const table = TABLES[preset];
  const unmet = new Map(table.map((row) => [row.id, row]));
  for (const combination of PLAINEST_FIRST) {
    for (const variant of VARIANTS) {
      const situation = situationOf(variant.with(snapshotOf(combination)), policy);
      const first = table.find((row) => matches(row, situation));
      if (first === undefined) return [`${preset}: no row for ${JSON.stringify(combination)} (${variant.name})`];
      unmet.delete(first.id);
      if (unmet.size === 0) return [];
    }
  }
  return [...unmet.values()].map((r) => `${preset}: row ${r.id} ${r.name} is shadowed`);
}

/**
 * Checks the tables: unique ascending numbers, only the last row is everything else, no row is shadowed, each
 * commanded goal is known to agents. Returns the problems; a controller refuses to start with any.
 */
export function checkTables(knownGoals: readonly string[] = AGENT_GOALS): readonly string[] {
  const presets = ['guarded', 'classic'] as const satisfies readonly Policy['preset'][];
  return presets.flatMap((preset) => [
    ...numbering(TABLES[preset]),
    ...unknownGoals(TABLES[preset], knownGoals),
    ...shadowed(preset),
  ]);
}

/** The combinations that fall to the last row of `guarded`, all else being in order: a reviewed list. */
export function combinationsHeldByLastRow(): readonly string[] {
  const policy = policyOf('guarded');
  const table = TABLES.guarded;
  const last = table.at(-1);
  return COMBINATIONS.filter((combination) => {
    const situation = situationOf(snapshotOf(combination), policy);
    return table.find((row) => matches(row, situation)) === last;
  }).map(({ a, b, c }) => `own ${a}, target's ${b}, witness ${c}`);
}
