import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** One run of vitest: a whole project, or one of its files. */
export type Job = Readonly<{ project: Project; file: string | null }>;
export type Stage = Readonly<{ lanes: number; jobs: readonly Job[] }>;

export const PROJECTS = ['unit', 'integration', 'e2e'] as const;
export type Project = (typeof PROJECTS)[number];

const E2E = join('test', 'e2e');

/** Files of `test/e2e` that assert what happens and not how soon: they come last, when a second lab may run beside theirs. */
const PATIENT: readonly string[] = [
  'install.spec.ts',
  'night.spec.ts',
  'switchover-faults.spec.ts',
  'rejoin.spec.ts',
  'switchover-crash.spec.ts',
  'switchover.spec.ts',
];

/**
 * Stages run one after the other, cheapest first. In a stage as many jobs run side by side as it has lanes: labs wait for
 * clocks most of their time, so two lanes fill two cores. Unit tests use all cores by themselves.
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
  const rank = (name: string): number => PATIENT.indexOf(name); // -1: first
  return files.toSorted((x, y) => rank(x) - rank(y) || x.localeCompare(y)).map((name) => join(E2E, name));
}

export const nameOf = ({ project, file }: Job): string =>
  file === null ? project : `${project}/${basename(file, '.spec.ts')}`;
