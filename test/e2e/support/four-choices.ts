import { expect } from 'vitest';
import { type LabClusterName, waitFor } from '#lab';
import { logEnds } from '../../../tools/demo/log-ends.js';
import { LogReader } from '../../../tools/demo/log-reader.js';
import { connectorNames } from '../../../tools/installation/index.js';
import { figure } from './figures.js';
import { operate } from './operate.js';
import type { Acknowledged, SideWriter } from './side-writer.js';
import type { Stage } from './stage.js';
import { connectorState } from './world.js';

/** Group and topic have one name; the fourth choice, `export`, is the main group's. */
export const CHOICES = { kept: 'accept', replayed: 'replay', rebuilt: 'rebuild' } as const;
export const SIDE_GROUPS = Object.keys(CHOICES) as readonly (keyof typeof CHOICES)[];

type Told = Readonly<{ tail: Readonly<{ partitions: readonly Readonly<{ partition: number; records: number }>[] }> }>;
type Log = readonly (readonly string[])[]; // keys by partition, in the order of their offsets
type Before = Readonly<{ a: Log; b: Log; tail: Log }>;

/** Both logs, read by a client that knows nothing of Pointsman. Keys are unique, so the tail is what b has not. */
export async function logsOf(stage: Stage, topic: string): Promise<Before> {
  const [a, b] = [await logOf(stage, 'a', topic), await logOf(stage, 'b', topic)];
  const onB = new Set(b.flat());
  return { a, b, tail: a.map((keys) => keys.filter((key) => !onB.has(key))) };
}

/** What Pointsman counted is what the independent reader counts, partition by partition. */
export async function expectTold(stage: Stage, group: string, { tail }: Before): Promise<void> {
  const told = await waitFor(
    `the survey of ${group}`,
    () =>
      stage.installation
        .api('b')
        .get<Told>(`/v1/groups/${group}/tail`)
        .catch(() => undefined),
    { timeoutMs: 90_000 },
  );
  const counted = tail.map((keys) => keys.length);
  const said = counted.map((_, p) => told.tail.partitions.find((x) => x.partition === p)?.records ?? 0);
  figure(`${group}: tail by partition, counted ${counted.join(' + ')}, told ${said.join(' + ')}`);
  expect(said).toEqual(counted);
}

export async function takeBack(stage: Stage, group: keyof typeof CHOICES): Promise<void> {
  const choice = CHOICES[group];
  const { epoch } = await stage.installation.group('b', group);
  const confirm = choice === 'rebuild' ? { confirm: 'a' } : {};
  await operate(stage, 'rejoin', { choice, ...confirm, reason: 'a is back', acceptUnfencedSource: true }, epoch, group);
}

/** After the way back has copied everything: what each choice promises, by keys and per partition. */
export async function expectChoice(
  stage: Stage,
  group: keyof typeof CHOICES,
  before: Before,
  writer: SideWriter,
): Promise<void> {
  const { source } = connectorNames('b', 'a', `${group}-`);
  expect((await connectorState(stage.lab, 'a', source)).state).toBe('RUNNING');
  const written = writer.acknowledged.filter((r) => r.topic === group);
  const { a, b } = await caughtUp(stage, group, before);
  const tail = new Set(before.tail.flat());
  const [lost, twice] = [missing(written, b), repeated(b)];
  figure(
    `${group} (${CHOICES[group]}): a ${sizes(a)}, b ${sizes(b)}, of ${written.length} written on b ${lost} missing, ${twice} twice`,
  );
  expect([lost, twice]).toEqual([0, 0]);
  PROMISES[group]({ a, b, before, tail });
}

type Outcome = Readonly<{ a: Log; b: Log; before: Before; tail: ReadonlySet<string> }>;
const PROMISES: Readonly<Record<keyof typeof CHOICES, (of: Outcome) => void>> = {
  /** The old log goes on behind its tail; b never gets it. */
  kept: ({ a, b, before, tail }) => {
    expect(a).toEqual(before.a.map((keys, p) => [...keys, ...sinceOf(before, b, p)]));
    expect(b.flat().filter((key) => tail.has(key))).toEqual([]);
  },
  /** Each record of the tail once on b, which brings a its own copy back. */
  replayed: ({ a, b, before, tail }) => {
    expect(new Set(b.flat().filter((key) => tail.has(key)))).toEqual(tail);
    expect(a).toEqual(before.a.map((keys, p) => [...keys, ...sinceOf(before, b, p)]));
  },
  /** One log, the same on both sides from the first record on. The tail is gone. */
  rebuilt: ({ a, b, tail }) => {
    expect(a).toEqual(b);
    expect(a.flat().filter((key) => tail.has(key))).toEqual([]);
  },
};

/** b's records from S on: those that a has not under the copied ones. */
function sinceOf(before: Before, b: Log, partition: number): readonly string[] {
  const copied = new Set(before.a[partition]);
  const s = before.b[partition]?.findIndex((key) => !copied.has(key)) ?? -1;
  return s < 0 ? (b[partition]?.slice(before.b[partition]?.length ?? 0) ?? []) : (b[partition]?.slice(s) ?? []);
}

async function caughtUp(stage: Stage, group: keyof typeof CHOICES, before: Before): Promise<{ a: Log; b: Log }> {
  const b = await logOf(stage, 'b', group);
  const wanted = b.map((keys, p) =>
    group === 'rebuilt' ? keys.length : (before.a[p]?.length ?? 0) + sinceOf(before, b, p).length,
  );
  await waitFor(
    `a to hold ${wanted.join(' + ')} of ${group}`,
    async () => {
      const ends = await logEnds(stage.lab.kafka('a'), group);
      return wanted.every((count, p) => Number(ends.get(p) ?? 0n) >= count) ? true : undefined;
    },
    { timeoutMs: 60_000, pollMs: 500 },
  );
  return { a: await logOf(stage, 'a', group), b };
}

async function logOf({ lab }: Stage, cluster: LabClusterName, topic: string): Promise<Log> {
  const reader = await LogReader.start(lab.kafka(cluster), topic);
  try {
    await reader.readToEnd(40_000);
    const ordered = reader.records.toSorted((x, y) => Number(x.offset - y.offset));
    return [0, 1].map((p) => ordered.filter((r) => r.partition === p).map((r) => r.id));
  } finally {
    await reader.close();
  }
}

const missing = (written: readonly Acknowledged[], log: Log): number =>
  written.filter((r) => log[r.partition]?.includes(r.key) !== true).length;
const repeated = (log: Log): number => log.reduce((n, keys) => n + keys.length - new Set(keys).size, 0);
const sizes = (log: Log): string => log.map((keys) => keys.length).join(' + ');
