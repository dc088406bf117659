import { read } from '../api/calls.js';
import type { ReadinessBody } from '../api/types.js';
import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { seconds, table } from '../render/text.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

/** What stands between a group and a good failover, a fix with each line. Exit 3 when it is not ready. */
export const readinessCommand = async (group: string, options: GlobalOptions, io: Io): Promise<ExitCode> => {
  const path = { group };
  const { text, body } = await read(clientFor(options, io), '/v1/groups/{group}/readiness', { path });
  io.out(options.output === 'json' ? text : readinessText(body, io.columns));
  return body.ready ? EXIT.ok : EXIT.degraded;
};

export const readinessText = (body: ReadinessBody, columns: number): string => {
  const { rtoMs, rpoRecords, rpoMs, rereads } = body.ifItFailedOverNow;
  const lag = rpoRecords === null ? 'unknown' : `${rpoRecords} records${rpoMs === null ? '' : `, ${seconds(rpoMs)} s`}`;
  const again = rereads.map((r) => `${r.consumerGroup} ${r.records === null ? 'an unknown number of' : r.records}`);
  return [
    `${body.group} is ${body.ready ? 'ready' : 'NOT READY'}`,
    `If it failed over now: RTO about ${seconds(rtoMs)} s, RPO ${lag}` +
      (again.length === 0 ? '' : `; read again at most: ${again.join(', ')} records`),
    ...table(
      body.lines.map((l) => [l.level.toUpperCase(), l.id, l.fix === null ? l.what : `${l.what}. Fix: ${l.fix}`]),
      columns,
    ),
  ].join('\n');
};
