import { randomUUID } from 'node:crypto';
import type { GroupBody, WriteBody } from '../api/types.js';
import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

export type WriteOptions = GlobalOptions &
  Readonly<{ reason: string; by?: string; dryRun?: boolean; epoch?: number; idempotencyKey?: string }>;

/** What an act has beside reason, person and dryRun. */
export type WriteFields = Readonly<Record<string, string | number | undefined>>;

/**
 * One write: reads the epoch unless the caller names the one it has seen, sends it once, and says what changed.
 */
export const writeCommand = async (
  group: string,
  act: string,
  fields: WriteFields,
  options: WriteOptions,
  io: Io,
): Promise<ExitCode> => {
  const client = clientFor(options, io);
  const path = `/v1/groups/${encodeURIComponent(group)}`;
  const epoch = options.epoch ?? (JSON.parse(await client.get(path)) as GroupBody).epoch;
  const by = options.by ?? io.environment.user ?? undefined;
  const text = await client.write({
    path: `${path}/${act}`,
    epoch,
    key: options.idempotencyKey ?? randomUUID(),
    body: { reason: options.reason, by, dryRun: options.dryRun === true, ...fields },
  });
  const body = JSON.parse(text) as WriteBody;
  io.out(options.output === 'json' ? text : `${body.group}: ${body.dryRun ? 'would be ' : ''}${body.summary}`);
  if (body.dryRun) {
    io.err('NOTHING WAS CHANGED: this was a dry run. To do it, run the same command without --dry-run:');
    io.err(`  ${againCommand(group, act, fields, { ...options, epoch }, by)}`);
  }
  return EXIT.ok;
};

const FLAGS: Readonly<Record<string, string>> = {
  owner: '--owner',
  expiresIn: '--expires-in',
  maxRecords: '--max-records',
  maxDuration: '--max-duration',
  proposal: '--proposal',
  evidence: '--evidence',
};

export const quoted = (text: string): string =>
  /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** The flags that say the same again. */
export const againFlags = (fields: WriteFields, reason: string, by: string | undefined): readonly string[] => [
  ...['--reason', quoted(reason)],
  ...(by === undefined ? [] : ['--by', quoted(by)]),
  ...Object.entries(fields).flatMap(([key, given]) =>
    given === undefined || FLAGS[key] === undefined ? [] : [FLAGS[key], quoted(String(given))],
  ),
];

const againCommand = (
  group: string,
  act: string,
  fields: WriteFields,
  options: WriteOptions & Readonly<{ epoch: number }>,
  by: string | undefined,
): string => {
  const verb = act === 'acknowledge' ? 'ack' : act;
  const mode = fields['mode'] === undefined ? [] : [quoted(String(fields['mode']))];
  const parts = ['pointsman', verb, quoted(group), ...mode, ...againFlags(fields, options.reason, by)];
  return [...parts, '--epoch', String(options.epoch)].join(' ');
};
