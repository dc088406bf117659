import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** One run of vitest: a whole project, or one of its files. */
export type Job = Readonly<{ project: Project; file: string | null }>;
export type Stage = Readonly<{ lanes: number; jobs: readonly Job[] }>;

export const PROJECTS = ['unit', 'integration', 'e2e'] as const;
export type Project = (typeof PROJECTS)[number];

const E2E = join('test', 'e2e');

/** Files of `test/e2e` with so much load that no second lab may run beside theirs: they come first, beside integration. */
const HEAVY: readonly string[] = [
  'switchover.spec.ts',
  'rejoin.spec.ts',
  'switchover-faults.spec.ts',
  'switchover-crash.spec.ts',
];

/** Light labs that take longest: before the others, else the last of them would run alone at the end, one lane idle. */
const LONG: readonly string[] = [
  'whole-idc.spec.ts',
  'compensation.spec.ts',
  'crash.spec.ts',
  'three-brokers.spec.ts',
  'night.spec.ts',
  'planned-stops.spec.ts',
  'strict.spec.ts',
  'default-windows.spec.ts',
];

/**
 * Stages run one after the other, cheapest first. In a stage as many jobs run side by side as it has lanes: labs wait for
 * clocks most of their time, so two lanes fill two cores: the integration tests first, with the heavy labs one after the
 * other beside them, then the light labs by twos, the longest first. Unit tests use all cores by themselves.
 */
export function stagesOf(wanted: readonly Project[]): readonly Stage[] {
  const whole = (project: Project): readonly Job[] => (wanted.includes(project) ? [{ project, file: null }] : []);
  const labs = wanted.includes('e2e') ? e2eFiles().map((file): Job => ({ project: 'e2e', file })) : [];
  return [
    { lanes: 1, jobs: whole('unit') },
    { lanes: 2, jobs: [...whole('integration'), ...labs] },
  ].filter(({ jobs }) => jobs.length > 0);
}

function e2eFiles(): readonly string[] {
  const files = readdirSync(E2E).filter((name) => name.endsWith('.spec.ts'));
  const first = [...HEAVY, ...LONG];
  const rank = (name: string): number => (first.includes(name) ? first.indexOf(name) : first.length);
  return files.toSorted((x, y) => rank(x) - rank(y) || x.localeCompare(y)).map((name) => join(E2E, name));
}

export const nameOf = ({ project, file }: Job): string =>
  file === null ? project : `${project}/${basename(file, '.spec.ts')}`;
