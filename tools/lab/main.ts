/**
 * `node dist/tools/lab/main.js up`: a lab for people at a shell. Commands come from stdin, so it can be scripted:
 * `(sleep 5; echo kill idc a; sleep 20; echo quit) | node dist/tools/lab/main.js up`.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { SetupError } from '../setup/index.js';
import { describeAddresses, runShellLine, shellHelp } from './shell-commands.js';
import { startLab } from './start-lab.js';
import type { Lab } from './lab.js';
import type { LabOptions } from './types.js';

const usage = `A lab on this machine: Kafka a and b with Connect and MirrorMaker 2, IDC c with PostgreSQL.

usage: node dist/tools/lab/main.js [up] [options]

  --brokers 1|3        brokers per cluster (1)
  --kafka 4.3|3.9      Kafka's version (4.3)
  --etcd               start etcd too, in IDC c
  --sasl               SASL_PLAINTEXT with users admin, mm2, agent, witness, app (password <user>-secret)
  --session fast|default  a dead broker is noticed after 3 s (fast) or Kafka's 9 s
  --topic name[:partitions]  a topic made on a and copied to b; may be repeated (orders:3)
  --group name         a consumer group whose offsets are copied; may be repeated (billing)
  --keep               keep the run folder with the logs

${shellHelp}
examples:
  node dist/tools/lab/main.js up
  node dist/tools/lab/main.js up --brokers 3 --kafka 3.9 --etcd
  make lab ARGS="--brokers 3"
`;

const optionSpec = {
  brokers: { type: 'string', default: '1' },
  kafka: { type: 'string', default: '4.3' },
  etcd: { type: 'boolean', default: false },
  sasl: { type: 'boolean', default: false },
  session: { type: 'string', default: 'fast' },
  topic: { type: 'string', multiple: true },
  group: { type: 'string', multiple: true },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Values = ReturnType<typeof parse>['values'];

function parse(args: string[]) {
  return parseArgs({ args, options: optionSpec, allowPositionals: true });
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw new TypeError(`--${option} ${value}: must be one of ${allowed.join(', ')}`);
  return found;
}

function labOptions(values: Values): LabOptions {
  const cluster = {
    brokers: oneOf('brokers', values.brokers, ['1', '3']) === '3' ? 3 : 1,
    version: oneOf('kafka', values.kafka, ['4.3', '3.9']),
  } as const;
  return {
    clusters: { a: cluster, b: cluster },
    etcd: values.etcd,
    security: values.sasl ? 'sasl' : 'plaintext',
    sessionProfile: oneOf('session', values.session, ['fast', 'default'] as const),
    keep: values.keep,
    onProgress: say,
  };
}

async function createTopicsAndFlows(lab: Lab, values: Values): Promise<void> {
  const topics = (values.topic ?? ['orders:3']).map((text) => text.split(':'));
  for (const [name = '', partitions = '3'] of topics)
    await lab.createTopic('a', { name, partitions: Number(partitions) });
  const flow = { topics: topics.map(([name = '']) => name), consumerGroups: values.group ?? ['billing'] };
  say('creating the connectors: a to b running, b to a stopped');
  await Promise.all([
    lab.createFlow({ ...flow, from: 'a', to: 'b', state: 'RUNNING' }),
    lab.createFlow({ ...flow, from: 'b', to: 'a', state: 'STOPPED' }),
  ]);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Reads commands until `quit`, the end of stdin, or a signal. */
async function shell(lab: Lab): Promise<void> {
  const input = createInterface({ input: process.stdin, prompt: 'lab> ', terminal: process.stdin.isTTY });
  const interrupt = (): void => input.close();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  input.on('SIGINT', interrupt);
  input.prompt();
  for await (const line of input) {
    try {
      const answer = await runShellLine(lab, line);
      if (answer === undefined) break;
      if (answer !== '') process.stdout.write(`${answer}\n`);
    } catch (error) {
      process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
    input.prompt();
  }
  input.close();
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help || (positionals[0] ?? 'up') !== 'up') {
    (values.help ? process.stdout : process.stderr).write(usage);
    return values.help ? 0 : 2;
  }
  const lab = await startLab(labOptions(values));
  try {
    await createTopicsAndFlows(lab, values);
    process.stdout.write(`${await describeAddresses(lab)}\nrun ${lab.runId}, folder ${lab.dir}\n${shellHelp}`);
    await shell(lab);
  } finally {
    say('taking the lab down');
    await lab.close();
  }
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // A wrong option and a missing program are the user's to mend: one line, no stack.
  if (!(error instanceof SetupError || error instanceof TypeError)) throw error;
  say(`lab: ${error.message}`);
  process.exitCode = error instanceof SetupError ? 1 : 2;
}
