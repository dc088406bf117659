import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { table } from '../render/text.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

type ClientsBody = Readonly<{
  pointer: Readonly<{ cluster: string; epoch: number; mode: string }>;
  known: number;
  adopted: number;
  clients: readonly Readonly<{
    instance: string;
    kind: string;
    name: string;
    cluster: string;
    epoch: number;
    mode: string;
    state: string;
    warnings: readonly string[];
    adopted: boolean;
  }>[];
  unwrapped: readonly Readonly<{ cluster: string; consumerGroup: string; onActive: boolean }>[];
}>;

/** Which clients follow the pointer, which do not yet, and which know of none. Exit 3 while somebody is missing. */
export const clientsCommand = async (group: string, options: GlobalOptions, io: Io): Promise<ExitCode> => {
  const text = await clientFor(options, io).get(`/v1/groups/${encodeURIComponent(group)}/clients`);
  const body = JSON.parse(text) as ClientsBody;
  io.out(options.output === 'json' ? text : clientsText(body, io.columns));
  const stray = body.unwrapped.some((u) => !u.onActive);
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
  const unwrapped = body.unwrapped.map(
    (u) =>
      `${u.consumerGroup} moves on ${u.cluster} without the wrapper${u.onActive ? '' : ': it reads the side that is not active'}`,
  );
  const list = [['KIND', 'NAME', 'CLUSTER', 'EPOCH', 'STATE', 'ADOPTED', 'WARNINGS'], ...rows];
  return [head, ...(known === 0 ? [] : table(list, columns)), ...unwrapped].join('\n');
};
