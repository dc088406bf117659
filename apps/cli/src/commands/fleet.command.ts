import { randomUUID } from 'node:crypto';
import type { FleetBody } from '../api/types.js';
import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { clientFor } from './context.js';
import { againFlags, type WriteFields, type WriteOptions } from './write.command.js';

/** One act on all groups at once. No epoch stands for all of them, so none is read. */
export const fleetCommand = async (
  act: 'pause' | 'resume',
  fields: WriteFields,
  options: WriteOptions,
  io: Io,
): Promise<ExitCode> => {
  const by = options.by ?? io.environment.user ?? undefined;
  const text = await clientFor(options, io).write({
    path: `/v1/${act}`,
    epoch: null,
    key: options.idempotencyKey ?? randomUUID(),
    body: { reason: options.reason, by, dryRun: options.dryRun === true, ...fields },
  });
  const body = JSON.parse(text) as FleetBody;
  const lines = `${body.groups.join(', ')}: ${body.dryRun ? 'would be: ' : ''}${body.summary}`;
  io.out(options.output === 'json' ? text : lines);
  if (body.dryRun) {
    io.err('NOTHING WAS CHANGED: this was a dry run. To do it, run the same command without --dry-run:');
    io.err(`  ${['pointsman', act, '--all', ...againFlags(fields, options.reason, by)].join(' ')}`);
  }
  return EXIT.ok;
};
