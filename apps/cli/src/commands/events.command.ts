import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from '../api/client.js';
import type { EventBody } from '../api/types.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { eventLine } from '../render/event.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

const RETRY_MS = 1_000;

type EventsOptions = GlobalOptions & Readonly<{ follow?: boolean; after?: number; limit: number; group?: string }>;

/** The last events, and with `follow` what comes after, over reconnects and controller changes without a gap. */
export const eventsCommand = async (options: EventsOptions, io: Io): Promise<ExitCode> => {
  const client = clientFor(options, io);
  const text = await client.get(`/v1/events?${query(options)}`);
  const { events } = JSON.parse(text) as { events: readonly EventBody[] };
  const print = (event: EventBody): void =>
    io.out(options.output === 'json' ? JSON.stringify(event) : eventLine(event, io.columns));
  if (!options.follow && options.output === 'json') {
    io.out(text);
    return EXIT.ok;
  }
  events.forEach(print);
  if (!options.follow) return EXIT.ok;
  await follow(client, events.at(-1)?.seq ?? options.after ?? 0, options.group, io, print);
  return EXIT.ok;
};

const query = (o: EventsOptions): string => {
  const params = new URLSearchParams({ limit: String(o.limit) });
  if (o.after !== undefined) params.set('after', String(o.after));
  if (o.group !== undefined) params.set('group', o.group);
  return params.toString();
};

const follow = async (
  client: ApiClient,
  from: number,
  group: string | undefined,
  io: Io,
  print: (event: EventBody) => void,
): Promise<void> => {
  const { createParser } = await import('eventsource-parser');
  let seq = from;
  const path = group === undefined ? '/v1/events' : `/v1/events?group=${encodeURIComponent(group)}`;
  while (!io.signal.aborted) {
    try {
      const res = await client.stream(path, { 'last-event-id': String(seq) });
      const parser = createParser({
        onEvent: (message) => {
          const event = JSON.parse(message.data) as EventBody;
          seq = event.seq;
          print(event);
        },
      });
      res.setEncoding('utf8');
      for await (const chunk of res) parser.feed(String(chunk));
    } catch (e) {
      if (io.signal.aborted) return;
      if (e instanceof CliError && (e.exitCode === EXIT.notAuthorised || e.exitCode === EXIT.usage)) throw e;
      io.err(
        `pointsman: stream interrupted after event ${seq}, resuming: ${e instanceof Error ? e.message : String(e)}`,
      );
    }
    await pause(RETRY_MS, undefined, { signal: io.signal }).catch(() => undefined);
  }
};
