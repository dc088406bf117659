import type { ApiClient } from '../api/client.js';
import { read } from '../api/calls.js';
import { EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { eventLine } from '../render/event.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

/** A group's last events, oldest first. */
export const historyCommand = async (
  group: string,
  options: GlobalOptions & Readonly<{ limit: number }>,
  io: Io,
): Promise<ExitCode> => {
  const asked = { path: { group }, query: { limit: options.limit } };
  const { text, body } = await read(clientFor(options, io), '/v1/groups/{group}/history', asked);
  if (options.output === 'json') io.out(text);
  else for (const event of body.events) io.out(eventLine(event, io.columns));
  return EXIT.ok;
};

export const auditListCommand = async (
  options: GlobalOptions & Readonly<{ limit: number; after?: number }>,
  io: Io,
): Promise<ExitCode> => {
  const query = { limit: options.limit, after: options.after ?? 0 };
  const { text, body } = await read(clientFor(options, io), '/v1/audit', { query });
  if (options.output === 'json') {
    io.out(text);
    return EXIT.ok;
  }
  for (const row of body.audit)
    io.out(
      `${row.seq}  ${row.at}  ${whoOf(row)}  ${row.action}${row.group === null ? '' : ` ${row.group}`}: ${row.reason}`,
    );
  return EXIT.ok;
};

/** `by` is only what the caller said: how it was authenticated stands beside it. */
function whoOf({ actor, detail }: Readonly<{ actor: string; detail?: unknown }>): string {
  const known = typeof detail === 'object' && detail !== null ? (detail as Readonly<Record<string, unknown>>) : {};
  const how = known['authenticated'] ?? known['identity'];
  return typeof how === 'string' ? `${actor} (${how})` : actor;
}

/** Exit 1 when a row was changed, removed or moved. `expect` (seq:hash, kept elsewhere) also finds rows cut off at the end. */
export const auditVerifyCommand = async (
  options: GlobalOptions & Readonly<{ expect?: string }>,
  io: Io,
): Promise<ExitCode> => {
  const client = clientFor(options, io);
  const { text, body } = await read(client, '/v1/audit/verify');
  const missing = options.expect === undefined ? null : await notThere(options.expect, client);
  if (options.output === 'json') io.out(text);
  else if (!body.ok) io.out(`audit BROKEN at row ${body.seq}: ${body.reason}`);
  else io.out(`audit whole: ${body.rows} rows${body.last === null ? '' : `, last ${body.last.seq}:${body.last.hash}`}`);
  if (missing !== null) io.err(`pointsman: ${missing}`);
  return body.ok && missing === null ? EXIT.ok : EXIT.error;
};

async function notThere(expected: string, client: ApiClient): Promise<string | null> {
  const [seq = '', hash] = expected.split(':');
  const { body } = await read(client, '/v1/audit', { query: { after: Number(seq) - 1, limit: 1 } });
  const found = body.audit.find((row) => row.seq === Number(seq));
  if (found === undefined) return `row ${seq} is not there any more: rows were cut off at the end`;
  return found.hash === hash ? null : `row ${seq} has another hash than the one kept: the audit was written anew`;
}

/** One saga, or a group's newest one, as Markdown (JSON with -o json). */
export const reportCommand = async (what: string, options: GlobalOptions, io: Io): Promise<ExitCode> => {
  const client = clientFor(options, io);
  let id = what;
  if (!/^[0-9a-f]{8}-/.test(what)) {
    const { body } = await read(client, '/v1/sagas', { query: { group: what, limit: 1 } });
    const [newest] = body.sagas;
    if (newest === undefined) {
      io.err(`pointsman: group ${what} has no saga yet`);
      return EXIT.error;
    }
    id = newest.id;
  }
  const format = options.output === 'json' ? '' : '?format=markdown';
  io.out((await client.get(`/v1/sagas/${encodeURIComponent(id)}/report${format}`)).trimEnd());
  return EXIT.ok;
};
