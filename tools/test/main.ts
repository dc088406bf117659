import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/**
 * Runs the test projects one after the other, cheapest first (two cores: labs must not disturb unit tests), prints what
 * each file took of its budget, and ends with the line that CI reads: `N passed, N failed, N skipped`.
 */
const PROJECTS = ['unit', 'integration', 'e2e'] as const;

/** Seconds a file of the project is expected to need at most on two cores; over it is printed, never failed. */
const BUDGET_S: Readonly<Record<string, number>> = { unit: 20, integration: 90, e2e: 180 };

type FileResult = Readonly<{
  name: string;
  startTime: number;
  endTime: number;
  status: string;
  assertionResults: readonly { status: string }[];
}>;
type Report = Readonly<{ testResults: readonly FileResult[] }>;
type Tally = { passed: number; failed: number; skipped: number };

const wanted = process.argv.slice(2);
if (wanted.some((w) => !PROJECTS.some((p) => p === w))) {
  process.stderr.write(`usage: test [${PROJECTS.join('|')}] …   (none: all)\n`);
  process.exit(2);
}

const dir = mkdtempSync(join(tmpdir(), 'pointsman-test-'));
const total: Tally = { passed: 0, failed: 0, skipped: 0 };
let broken = false;
for (const project of PROJECTS.filter((p) => wanted.length === 0 || wanted.includes(p))) {
  process.stdout.write(`\n== ${project} tests\n`);
  const file = join(dir, `${project}.json`);
  const status = await vitest(project, file);
  const counted = count(project, readReport(file));
  broken ||= status !== 0 && counted.failed === 0; // e.g. an unhandled error outside any test
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counted[key];
}
rmSync(dir, { recursive: true, force: true });
if (broken) total.failed += 1;
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

function vitest(project: string, report: string): Promise<number> {
  const args = [
    '--no-install',
    'vitest',
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn('npx', args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch (error) {
    process.stdout.write(`no test report was written: ${String(error)}\n`);
    return { testResults: [] };
  }
}

function count(project: string, report: Report): Tally {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  const budgetS = BUDGET_S[project] ?? 60;
  for (const file of report.testResults) {
    const took = (file.endTime - file.startTime) / 1000;
    const over = took > budgetS ? '  OVER ITS BUDGET' : '';
    if (project !== 'unit' || over !== '') {
      process.stdout.write(
        `budget ${took.toFixed(1).padStart(6)} of ${budgetS} s  ${relative(process.cwd(), file.name)}${over}\n`,
      );
    }
    if (file.status === 'failed' && file.assertionResults.length === 0) tally.failed += 1; // the file itself did not load
    for (const test of file.assertionResults) {
      if (test.status === 'passed') tally.passed += 1;
      else if (test.status === 'failed') tally.failed += 1;
      else tally.skipped += 1;
    }
  }
  return tally;
}
