import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ExitCode } from './exit-codes.js';
import { FORMATS } from './render/format.js';

/** What the commands' options have in common. */

export type Done = (run: Promise<ExitCode>) => Promise<void>;

export const wholeNumber = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
};

export const milliseconds = (text: string): number => {
  const match = /^(\d{1,6}(?:\.\d+)?)(ms|s|m)$/.exec(text);
  const unitMs = { ms: 1, s: 1_000, m: 60_000 }[match?.[2] ?? ''];
  if (match?.[1] === undefined || unitMs === undefined) throw new InvalidArgumentError('expected e.g. 500ms, 5s, 1m.');
  return Number(match[1]) * unitMs;
};

export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Of every command that prints data. */
export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'how to print').choices(FORMATS).default('table');

/** A command that talks to the API. */
export const remote = (parent: Command, name: string, description: string): Command =>
  parent
    .command(name)
    .description(description)
    .option('--server <url>', 'controller to ask, repeatable', collect, [])
    .option('--token-file <file>', 'file with the bearer token')
    .option('--timeout <duration>', 'for each request', milliseconds, 5_000)
    .addOption(outputOption());
