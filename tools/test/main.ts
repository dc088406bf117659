import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Job, nameOf, PROJECTS, type Stage, stagesOf } from './jobs.js';
import { NOTHING, sum, tally, type Tally } from './tally.js';

/**
 * Runs the test projects, prints what each file took of its budget, then once more what needed a retry and what failed
 * (a reader of CI's log may see its end only), and ends with the line that CI reads: `N passed, N failed, N skipped`.
 */
const asked = process.argv.slice(2);
const wanted = PROJECTS.filter((p) => asked.length === 0 || asked.includes(p));
if (asked.some((a) => !PROJECTS.some((p) => p === a))) {
  process.stderr.write(`usage: test [${PROJECTS.join('|')}] …   (none: all)\n`);
  process.exit(2);
}

const VITEST = join('node_modules', 'vitest', 'vitest.mjs');
const dir = mkdtempSync(join(tmpdir(), 'pointsman-test-'));
const startedMs = performance.now();
let total = NOTHING;
for (const stage of stagesOf(wanted)) total = sum(total, await runStage(stage));
rmSync(dir, { recursive: true, force: true });
process.stdout.write(total.remarks.join(''));
process.stdout.write(`\n${((performance.now() - startedMs) / 60_000).toFixed(1)} minutes in all\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

type Ended = Readonly<{ job: Job; report: string; status: number }>;

async function runStage({ lanes, jobs }: Stage): Promise<Tally> {
  process.stdout.write(`\n== ${[...new Set(jobs.map((job) => job.project))].join(' and ')} tests\n`);
  const waiting = jobs.map((job, i) => ({ job, report: join(dir, `${nameOf(job).replace('/', '-')}-${i}.json`) }));
  const ended: Ended[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      ended.push({ ...next, status: await vitest(next.job, next.report, jobs.length > 1) });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  process.stdout.write('\n');
  return ended.map(countJob).reduce(sum, NOTHING);
}

function countJob({ job, report, status }: Ended): Tally {
  const counted = tally(job.project, report);
  if (status === 0 || counted.failed > 0) return counted;
  const failure = `FAILED ${nameOf(job)}: vitest ended with status ${status}, e.g. by an error outside any test\n`;
  return { ...counted, failed: 1, remarks: [failure] };
}

/** Exit status. Ends with this process. Where several run side by side each line says whose it is. */
async function vitest(job: Job, report: string, several: boolean): Promise<number> {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const files = job.file === null ? [] : [job.file];
  const args = [process.execPath, VITEST, 'run', '--project', job.project, ...files, ...reporters];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const prefix = several ? `${nameOf(job)} | ` : '';
  for (const [from, to] of [[child.stdout, process.stdout] as const, [child.stderr, process.stderr] as const]) {
    createInterface({ input: from }).on('line', (line) => to.write(`${prefix}${line}\n`));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}
