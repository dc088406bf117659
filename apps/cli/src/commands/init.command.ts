import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import { configTexts } from '../init/config-texts.js';
import { type AnswerKey, type Answers, hostOf, listOf, QUESTIONS } from '../init/questions.js';
import type { Io } from '../io.js';
import { checkConfigFile } from './check-config.js';

export type InitFlags = Readonly<Partial<Record<AnswerKey, string>> & { out: string }>;

const SITES = 3;

/**
 * Writes the six files of an installation. Flags are answers already; for the rest a person is asked, and without a
 * terminal what is missing is an error that names all of it. Nothing is overwritten, and what the apps would refuse is
 * not left behind.
 */
export const initCommand = async (flags: InitFlags, io: Io): Promise<ExitCode> => {
  const answers = io.canAsk ? await askFor(flags, io) : fromFlags(flags);
  mustFit(answers);
  const files = configTexts(answers).map(({ name, text }) => ({ file: join(flags.out, name), text }));
  const there = files.filter(({ file }) => existsSync(file)).map(({ file }) => file);
  if (there.length > 0) throw usage(`not overwritten: ${there.join(', ')}; give another --out, or remove them`);
  await mkdir(flags.out, { recursive: true });
  for (const { file, text } of files) await writeFile(file, text, { flag: 'wx' });
  const problems = await problemsOf(
    files.map(({ file }) => file),
    io,
  );
  if (problems.length > 0) {
    await Promise.all(files.map(({ file }) => rm(file)));
    throw usage(`nothing was written, because the files would be refused:\n${problems.join('\n')}`);
  }
  for (const { file } of files) io.out(file);
  for (const line of NEXT) io.err(line);
  return EXIT.ok;
};

const NEXT = [
  'Next: put secrets and certificates where the files name them, then on each host',
  '  pointsman config check FILE',
  'and start agents before controllers. The mode is observe: nothing is moved until you write auto.',
];

const usage = (message: string): CliError => new CliError(message, EXIT.usage);

function fromFlags(flags: InitFlags): Answers {
  const missing = QUESTIONS.filter((q) => q.fallback === null && flags[q.key] === undefined).map((q) => q.flag);
  if (missing.length > 0) throw usage(`without a terminal nobody can be asked: give ${missing.join(', ')}`);
  return answersBy((q) => flags[q.key] ?? q.fallback ?? '');
}

async function askFor(flags: InitFlags, io: Io): Promise<Answers> {
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  const given = new Map<AnswerKey, string>();
  try {
    for (const question of QUESTIONS) {
      const { key, ask, fallback } = question;
      let answer = flags[key];
      while (answer === undefined) {
        const hint = fallback === null || fallback === '' ? '' : ` [${fallback}]`;
        const typed = (await asked.question(`${ask}${hint}: `, { signal: io.signal })).trim();
        if (typed !== '' || fallback !== null) answer = typed === '' ? (fallback ?? '') : typed;
      }
      given.set(key, answer);
    }
  } finally {
    asked.close();
  }
  return answersBy((q) => given.get(q.key) ?? '');
}

const answersBy = (of: (question: (typeof QUESTIONS)[number]) => string): Answers =>
  Object.fromEntries(QUESTIONS.map((q) => [q.key, of(q)])) as Answers;

/** What no rule of the apps could tell apart afterwards. */
function mustFit(answers: Answers): void {
  const wrong = [
    ...(['idcs', 'hosts'] as const)
      .filter((key) => listOf(answers[key]).length !== SITES)
      .map((key) => `--${key} needs three, comma separated, not "${answers[key]}"`),
    ...listOf(answers.hosts)
      .filter((host) => hostOf(host) === null)
      .map((host) => `--hosts: "${host}" is neither a host nor host:http:grpc:metrics`),
    ...(/^\d{1,15}$/.test(answers.maxLoss) ? [] : [`--max-loss is a whole number, not "${answers.maxLoss}"`]),
  ];
  if (wrong.length > 0) throw usage(wrong.join('\n'));
}

async function problemsOf(files: readonly string[], io: Io): Promise<readonly string[]> {
  const checks = await Promise.all(files.map((file) => checkConfigFile(file, io.signal)));
  return checks.flat().flatMap((check) => (check.ok ? [] : [check.found]));
}
