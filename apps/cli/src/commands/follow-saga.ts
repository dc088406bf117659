import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from '../api/client.js';
import type { OperationBody } from '../api/types.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { operationLine } from '../render/operation.js';
import type { GlobalOptions } from './context.js';

export type FollowOptions = Pick<GlobalOptions, 'output'> & Readonly<{ wait?: number }>; // ms

const EVERY_MS = 500;
const WAIT_MS = 600_000;
const GOOD_ENDS: ReadonlySet<string> = new Set(['DONE']);

/** Tells each step on stderr until the saga ends or `wait` (10 min) is over. Interrupted, it says so and the saga goes on. */
export async function followSaga(client: ApiClient, id: string, options: FollowOptions, io: Io): Promise<ExitCode> {
  const endsAtMs = performance.now() + (options.wait ?? WAIT_MS);
  let told = 0;
  while (performance.now() < endsAtMs && !io.signal.aborted) {
    const text = await askQuietly(client, id, io);
    const operation = text === null ? null : (JSON.parse(text) as OperationBody);
    for (const step of operation?.steps ?? []) if (step.seq > told) io.err(operationLine(step));
    told = operation?.steps.at(-1)?.seq ?? told;
    if (operation?.done === true) {
      const reason = operation.reason === null ? '' : `: ${operation.reason}`;
      io.out(options.output === 'json' ? (text ?? '') : `${operation.group}: ${operation.outcome ?? ''}${reason}`);
      return endCode(operation.outcome);
    }
    await pause(EVERY_MS, undefined, { signal: io.signal }).catch(() => undefined);
  }
  io.err(
    `still in progress: pointsman abort ${id} --reason "…" ends it before publish; pointsman events -f follows it`,
  );
  return EXIT.timedOut;
}

/** Leaders change while a saga runs: what does not answer now is asked again. */
async function askQuietly(client: ApiClient, id: string, io: Io): Promise<string | null> {
  try {
    return await client.get(`/v1/operations/${encodeURIComponent(id)}`);
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode === EXIT.notAuthorised || error.exitCode === EXIT.usage)
      throw error;
    io.err(`pointsman: ${error.message}`);
    return null;
  }
}

const endCode = (outcome: string | null): ExitCode => {
  if (outcome === null) return EXIT.error;
  if (GOOD_ENDS.has(outcome)) return EXIT.ok;
  return outcome === 'DONE_WITH_DEBT' ? EXIT.degraded : EXIT.error;
};
