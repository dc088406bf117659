import { readText } from '#platform';
import { parseAllDocuments } from 'yaml';
import { explain, parseScenario, renderExplanation, runScenario, ScenarioError } from '#failover';
import type { Change, Scenario, ScenarioRun } from '#failover';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { cut, table, wrap } from '../render/text.js';

type SimulateOptions = Readonly<{ output: 'table' | 'json'; explain?: boolean }>;

/** Runs every scenario of a file through the code that decides. Exit 1 if an expectation of the file does not hold. */
export const simulateCommand = async (file: string, options: SimulateOptions, io: Io): Promise<ExitCode> => {
  const runs = readScenarios(file).map((scenario) => ({ scenario, run: runScenario(scenario) }));
  if (options.output === 'json')
    io.out(JSON.stringify({ ok: runs.every((r) => r.run.ok), scenarios: runs.map(jsonOf) }));
  else for (const { scenario, run } of runs) for (const line of render(scenario, run, options, io)) io.out(line);
  const failed = runs.filter((r) => !r.run.ok).length;
  if (failed > 0) io.err(`pointsman: ${failed} of ${runs.length} scenarios did not go as their file expects`);
  return failed > 0 ? EXIT.error : EXIT.ok;
};

const readScenarios = (file: string): readonly Scenario[] => {
  let text: string;
  try {
    text = readText(file);
  } catch (cause) {
    throw new CliError(`scenario file ${file} cannot be read`, EXIT.usage, { cause });
  }
  const documents = parseAllDocuments(text);
  if ('empty' in documents) throw new CliError(`${file} has no scenario in it`, EXIT.usage);
  return documents.map((document, i) => {
    const [error] = document.errors;
    if (error) throw new CliError(`${file}: ${error.message}`, EXIT.usage);
    try {
      return parseScenario(document.toJS());
    } catch (cause) {
      if (!(cause instanceof ScenarioError)) throw cause;
      throw new CliError(`${file}, scenario ${i + 1}: ${cause.message}`, EXIT.usage, { cause });
    }
  });
};

const jsonOf = ({ scenario, run }: Readonly<{ scenario: Scenario; run: ScenarioRun }>) => ({
  name: scenario.name,
  why: scenario.why,
  ok: run.ok,
  phases: run.steps,
});

const render = (scenario: Scenario, run: ScenarioRun, options: SimulateOptions, io: Io): string[] => {
  const rows = run.steps.flatMap((step) => step.changes.map((change) => rowOf(step.name, change)));
  const failures = run.steps.flatMap((step) => step.failures.map((f) => `NOT AS EXPECTED in "${step.name}": ${f}`));
  const last = options.explain ? run.last : null;
  return [
    scenario.name,
    ...(scenario.why === '' ? [] : wrap(`  ${scenario.why}`, io.columns, '  ')),
    ...table([['  TIME', 'PHASE', 'ROW', 'ACTION', 'BLOCKED BY'], ...rows], io.columns),
    ...failures.flatMap((f) => wrap(`  ${f}`, io.columns, '    ')),
    ...(last
      ? [
          '',
          ...renderExplanation(explain(last.snapshot, scenario.policy, last.decision))
            .trimEnd()
            .split('\n'),
        ]
      : []),
    '',
  ];
};

const PHASE_COLUMNS = 20;

const rowOf = (phase: string, c: Change): string[] => [
  `  ${(c.atMs / 1000).toFixed(1)} s`,
  cut(phase, PHASE_COLUMNS),
  `${c.row} ${c.name}`,
  c.action === c.wouldDo ? c.action : `${c.action} (would ${c.wouldDo})`,
  [...c.blockers, ...c.gate].join(', ') || 'nothing',
];
