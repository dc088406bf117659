import { read } from '../api/calls.js';
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
  const query = options.event === undefined ? {} : { event: options.event };
  const asked = { path: { group }, query };
  const { text, body } = await read(clientFor(options, io), '/v1/groups/{group}/explain', asked);
  io.out(options.output === 'json' ? text : body.text.trimEnd());
  return EXIT.ok;
};
