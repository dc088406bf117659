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

const DAY_MS = 86_400_000;

/** An instant in UTC: as it is written, or the next time that this machine's clock shows `HH:MM`. */
export const instant = (text: string): string => {
  const clock = /^(\d{2}):(\d{2})$/.exec(text);
  if (clock === null) {
    if (/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
    throw new InvalidArgumentError('expected e.g. 2026-11-20T22:00:00Z, or 22:00 by the clock of this machine.');
  }
  const [hours, minutes] = [Number(clock[1]), Number(clock[2])];
  if (hours > 23 || minutes > 59) throw new InvalidArgumentError('expected HH:MM from 00:00 to 23:59.');
  const now = Date.now();
  const today = new Date(now).setHours(hours, minutes, 0, 0);
  // Hours are counted by the local calendar: a day is not always 24 h long.
  const next = today > now ? today : new Date(now + DAY_MS).setHours(hours, minutes, 0, 0);
  return new Date(next).toISOString();
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
