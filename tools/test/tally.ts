import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** What ended how; and one paragraph for the end of the output, where CI's reader looks first, of each failure and each retry. */
export type Tally = Readonly<{ passed: number; failed: number; skipped: number; remarks: readonly string[] }>;
export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0, remarks: [] };

/** Characters of a failure's message that are printed again at the end; the whole stands where the test ran. */
const EXCERPT_CHARS = 400;

/** Seconds a file of the project is expected to need at most on two cores; over it is printed, never failed. */
const BUDGET_S: Readonly<Record<string, number>> = { unit: 20, integration: 90, e2e: 180 };

type FileResult = Readonly<{
  name: string;
  startTime: number;
  endTime: number;
  status: string;
  message: string;
  assertionResults: readonly { status: string; fullName: string; failureMessages: readonly string[] }[];
}>;
type Report = Readonly<{ testResults: readonly FileResult[] }>;

export const sum = (x: Tally, y: Tally): Tally => ({
  passed: x.passed + y.passed,
  failed: x.failed + y.failed,
  skipped: x.skipped + y.skipped,
  remarks: [...x.remarks, ...y.remarks],
});

/** Counts vitest's JSON report of one project, and prints what each file took of its budget. */
export function tally(project: string, reportFile: string): Tally {
  const budgetS = BUDGET_S[project] ?? 60;
  let total = NOTHING;
  for (const file of readReport(reportFile).testResults) {
    const took = (file.endTime - file.startTime) / 1000;
    const over = took > budgetS ? '  OVER ITS BUDGET' : '';
    if (project !== 'unit' || over !== '') {
      process.stdout.write(
        `budget ${took.toFixed(1).padStart(6)} of ${budgetS} s  ${relative(process.cwd(), file.name)}${over}\n`,
      );
    }
    total = sum(total, inFile(file));
  }
  return total;
}

function inFile({ name, message, status, assertionResults }: FileResult): Tally {
  const file = relative(process.cwd(), name);
  const failed = assertionResults.filter((t) => t.status === 'failed');
  const retried = assertionResults.filter((t) => t.status === 'passed' && t.failureMessages.length > 0);
  const unloaded = status === 'failed' && assertionResults.length === 0; // the file itself did not load
  const count = (of: (status: string) => boolean): number => assertionResults.filter((t) => of(t.status)).length;
  return {
    passed: count((s) => s === 'passed'),
    failed: failed.length + (unloaded ? 1 : 0),
    skipped: count((s) => s !== 'passed' && s !== 'failed'),
    remarks: [
      ...retried.map((t) => paragraph('NEEDED A RETRY', file, t.fullName, t.failureMessages.join('\n'))),
      ...(unloaded ? [paragraph('FAILED', file, 'did not load', message)] : []),
      ...failed.map((t) => paragraph('FAILED', file, t.fullName, t.failureMessages.join('\n'))),
    ],
  };
}

const paragraph = (how: string, file: string, what: string, message: string): string =>
  `${how} ${file}: ${what}\n  ${stripVTControlCharacters(message).slice(0, EXCERPT_CHARS).replaceAll('\n', '\n  ')}\n`;

function readReport(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch (error) {
    process.stdout.write(`no test report was written: ${String(error)}\n`);
    return { testResults: [] };
  }
}
