import { randomUUID } from 'node:crypto';
import type { ApprovedBody, GroupBody } from '../api/types.js';
import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { clientFor } from './context.js';
import { followSaga } from './follow-saga.js';
import { quoted, type WriteOptions } from './write.command.js';

export type ApproveOptions = WriteOptions & Readonly<{ proposal?: string; wait?: number }>;

/** Says yes to the open proposal. The last yes that is needed begins the saga, which is followed to its end. */
export const approveCommand = async (group: string, options: ApproveOptions, io: Io): Promise<ExitCode> => {
  const client = clientFor(options, io);
  const path = `/v1/groups/${encodeURIComponent(group)}`;
  const epoch = options.epoch ?? (JSON.parse(await client.get(path)) as GroupBody).epoch;
  const by = options.by ?? io.environment.user ?? undefined;
  const { reason, dryRun = false, proposal } = options;
  const text = await client.write({
    path: `${path}/approve`,
    epoch,
    key: options.idempotencyKey ?? randomUUID(),
    body: { reason, by, dryRun, proposal },
  });
  const body = JSON.parse(text) as ApprovedBody;
  if (body.saga !== null) return await followSaga(client, body.saga, options, io);
  io.out(options.output === 'json' ? text : `${body.group}: ${dryRun ? 'would be ' : ''}${body.summary}`);
  if (dryRun) {
    const person = by === undefined ? '' : ` --by ${quoted(by)}`;
    io.err('NOTHING WAS CHANGED: this was a dry run. To do it, run the same command without --dry-run:');
    io.err(`  pointsman approve ${quoted(group)} --reason ${quoted(reason)}${person} --epoch ${epoch}`);
  } else if (body.scheduled === undefined)
    io.err('nothing moves yet: another person must approve it too, with a token of their own');
  else io.err(`judged again then; pointsman abort ${body.scheduled.id} --reason "…" takes it back`);
  return EXIT.ok;
};
