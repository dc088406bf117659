import { parseArgs } from 'node:util';
import { textTable } from '../stats/index.js';
import { benchClient } from './client.bench.js';
import { benchDecide } from './decide.bench.js';
import { benchIntake } from './intake.bench.js';
import { benchOffsets } from './offsets.bench.js';
import { benchSampling } from './sampling.bench.js';
import { type Section, SECTION_NAMES, type SectionName } from './section.js';
import { benchSwitch } from './switch.bench.js';

const HELP = `Figures as ratios against floors measured in the same run, or exact counts. About ten minutes.

usage: make bench [ARGS="--only decide --json"]

  --only NAME   one section: ${SECTION_NAMES.join(', ')} (may be repeated; default all)
  --json        only the result as one line of JSON on stdout
  --help        this text

examples:
  make bench                          all of it
  make bench ARGS="--only decide"     without a lab, seconds
  make bench ARGS="--json"            for a machine

A missed goal is printed as MISSED. Exit status 1 only if a count is broken or a section could not be measured.
`;

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, json: { type: 'boolean' }, help: { type: 'boolean' } },
});
if (values.help === true) {
  process.stdout.write(HELP);
  process.exit(0);
}
const unknown = values.only?.filter((name) => !SECTION_NAMES.some((n) => n === name)) ?? [];
if (unknown.length > 0) {
  process.stderr.write(`bench: no section ${unknown.join(', ')}; there are ${SECTION_NAMES.join(', ')}\n`);
  process.exit(2);
}

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
const BENCHES: Readonly<Record<SectionName, () => Promise<Section>>> = {
  decide: benchDecide,
  offsets: benchOffsets,
  intake: benchIntake,
  sampling: () => benchSampling(say),
  switch: () => benchSwitch(say),
  client: () => benchClient(say),
};

const sections: Section[] = [];
const broken: string[] = [];
for (const name of SECTION_NAMES.filter((n) => values.only?.includes(n) ?? true)) {
  say(`bench: ${name}`);
  try {
    const section = await BENCHES[name]();
    sections.push(section);
    broken.push(...section.brokenGates.map((gate) => `${name}: ${gate}`));
    if (values.json !== true) process.stdout.write(`${tell(section)}\n`);
  } catch (error) {
    broken.push(`${name} was not measured: ${error instanceof Error ? error.message : String(error)}`);
  }
}
for (const line of broken) say(`BROKEN: ${line}`);
process.stdout.write(`${JSON.stringify({ ok: broken.length === 0, sections, broken })}\n`);
process.exit(broken.length === 0 ? 0 : 1);

function tell({ name, about, figures }: Section): string {
  const rows = figures.map((f) => [
    f.what,
    f.value,
    f.floor,
    f.ratio === null ? '' : `${f.ratio.toFixed(2)} ×`,
    f.goal,
    f.verdict,
  ]);
  return `\n${name}: ${about}\n${textTable([['what', 'value', 'floor', 'ratio', 'goal', ''], ...rows])}`;
}
