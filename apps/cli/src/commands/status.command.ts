import { setTimeout as pause } from 'node:timers/promises';
import { read } from '../api/calls.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { painter } from '../render/paint.js';
import { allSteady, renderStatus } from '../render/status.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

const EVERY_MS = 1_000;
const HOME_AND_CLEAR = '\u001b[H\u001b[J';

/** One look, or with `watch` one each second until interrupted. Exit 3 unless every group is steady. */
export const statusCommand = async (
  options: GlobalOptions & Readonly<{ watch?: boolean }>,
  io: Io,
): Promise<ExitCode> => {
  const client = clientFor(options, io);
  const look = async (): Promise<ExitCode> => {
    const { text, body } = await read(client, '/v1/groups');
    const { groups } = body;
    const lines =
      options.output === 'json' ? [text] : renderStatus(groups, { columns: io.columns, paint: painter(io.color) });
    const redraw = options.watch && io.interactive && options.output === 'table';
    io.out((redraw ? HOME_AND_CLEAR : '') + lines.join('\n'));
    return allSteady(groups) ? EXIT.ok : EXIT.degraded;
  };
  if (!options.watch) return look();
  let last: ExitCode = EXIT.error;
  while (!io.signal.aborted) {
    try {
      last = await look();
    } catch (e) {
      // A watch outlives controllers: it says so and looks again. What no second look can mend ends it.
      if (io.signal.aborted) break;
      if (!(e instanceof CliError) || e.exitCode === EXIT.notAuthorised || e.exitCode === EXIT.usage) throw e;
      io.err(`pointsman: ${e.message}`);
      last = e.exitCode;
    }
    await pause(EVERY_MS, undefined, { signal: io.signal }).catch(() => undefined);
  }
  return last;
};
