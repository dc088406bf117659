import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

/** Why a group is judged as it is now, or was at a past decision event, in the words of the controller that answers. */
export const explainCommand = async (
  group: string,
  options: GlobalOptions & Readonly<{ event?: number }>,
  io: Io,
): Promise<ExitCode> => {
  const query = options.event === undefined ? '' : `?event=${options.event}`;
  const text = await clientFor(options, io).get(`/v1/groups/${encodeURIComponent(group)}/explain${query}`);
  io.out(options.output === 'json' ? text : (JSON.parse(text) as { text: string }).text.trimEnd());
  return EXIT.ok;
};
