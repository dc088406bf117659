import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { renderExplain } from '../render/explain.js';
import type { ExplainBody } from '../render/explain.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

/** Why a group is judged as it is now, or was at a past decision event. */
export const explainCommand = async (
  group: string,
  options: GlobalOptions & Readonly<{ event?: number }>,
  io: Io,
): Promise<ExitCode> => {
  const query = options.event === undefined ? '' : `?event=${options.event}`;
  const text = await clientFor(options, io).get(`/v1/groups/${encodeURIComponent(group)}/explain${query}`);
  io.out(options.output === 'json' ? text : renderExplain(JSON.parse(text) as ExplainBody, io.columns).join('\n'));
  return EXIT.ok;
};
