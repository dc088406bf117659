import { read } from '../api/calls.js';
import type { TailBody } from '../api/types.js';
import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { table } from '../render/text.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

const COLUMNS = 120;

/** The records that only the returned cluster holds: how many, where, and what may be done with them. */
export const tailCommand = async (group: string, options: GlobalOptions, io: Io): Promise<ExitCode> => {
  const { text, body } = await read(clientFor(options, io), '/v1/groups/{group}/tail', { path: { group } });
  io.out(options.output === 'json' ? text : tailLines(body).join('\n'));
  return EXIT.ok;
};

export function tailLines(body: TailBody): readonly string[] {
  const { tail, seam } = body;
  const head = `${body.group}: ${body.cluster} ${body.state}; choices: ${seam.choices.join(', ')}`;
  if (tail === null) return [head, ...seam.objections.map((o) => `  ${o}`)];
  const rows = tail.partitions.map((p) => [
    p.topic,
    String(p.partition),
    String(p.records),
    String(p.bytes),
    `${p.first?.offset ?? '-'}..${p.last?.offset ?? '-'}`,
    `${instant(p.first?.timestampMs)}..${instant(p.last?.timestampMs)}`,
    `${p.first?.key ?? '-'} .. ${p.last?.key ?? '-'}`,
  ]);
  return [
    head,
    `${tail.loss.says}; ${tail.bytes} bytes; listing on ${tail.agent}: ${tail.path}`,
    ...(rows.length === 0
      ? []
      : table([['TOPIC', 'PARTITION', 'RECORDS', 'BYTES', 'OFFSETS', 'TIME', 'KEYS'], ...rows], COLUMNS)),
  ];
}

const instant = (ms: number | undefined): string => (ms === undefined ? '-' : new Date(ms).toISOString().slice(11, 23));
