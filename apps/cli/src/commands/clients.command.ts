import { read } from '../api/calls.js';
import type { ClientsBody } from '../api/types.js';
import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { seconds, table } from '../render/text.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

/** Which clients follow the pointer, which do not yet, and which know of none. Exit 3 while somebody is missing. */
export const clientsCommand = async (group: string, options: GlobalOptions, io: Io): Promise<ExitCode> => {
  const path = { group };
  const { text, body } = await read(clientFor(options, io), '/v1/groups/{group}/clients', { path });
  io.out(options.output === 'json' ? text : clientsText(body, io.columns));
  const stray = body.unwrapped.some((u) => !u.onActive) || body.strayWrites.length > 0;
  return body.adopted === body.known && !stray ? EXIT.ok : EXIT.degraded;
};

export const clientsText = (body: ClientsBody, columns: number): string => {
  const { pointer, known, adopted } = body;
  const head = `${pointer.cluster}, epoch ${pointer.epoch}, ${pointer.mode}: ${adopted} of ${known} clients have adopted it`;
  const rows = body.clients
    .toSorted((x, y) => Number(x.adopted) - Number(y.adopted))
    .map((c) => [
      c.kind,
      c.name,
      c.cluster,
      String(c.epoch),
      c.state,
      c.adopted ? 'yes' : 'NOT YET',
      c.warnings.join('; '),
    ]);
  const unwrapped = body.unwrapped.map(({ consumerGroup, members, cluster, onActive }) => {
    const who = `${consumerGroup}${members === undefined ? '' : ` (${members} members)`}`;
    return `${who} is at work on ${cluster} without the wrapper${onActive ? '' : ': it reads the side that is not active'}`;
  });
  const strays = body.strayWrites.map(
    ({ cluster, ageMs }) =>
      `somebody writes on ${cluster}, which is not active: its topics grew ${seconds(ageMs)} s ago, and nothing is copied there`,
  );
  const list = [['KIND', 'NAME', 'CLUSTER', 'EPOCH', 'STATE', 'ADOPTED', 'WARNINGS'], ...rows];
  return [head, ...(known === 0 ? [] : table(list, columns)), ...unwrapped, ...strays].join('\n');
};
