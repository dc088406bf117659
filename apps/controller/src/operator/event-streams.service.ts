import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import type { Response } from 'express';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { Problem } from './http/problem.js';
import { OPERATOR_OPTIONS } from './operator.options.js';
import type { OperatorOptions } from './operator.options.js';
import { eventView } from './views/event.view.js';

/** What one reader asked for, and the question whether it still may. */
type StreamOrder = Readonly<{ after: number | null; group: string | undefined; stillAllowed: () => Promise<boolean> }>;

const MAX_STREAMS = 32;
const PAGE = 100;
const SLOW_READER_MS = 30_000;

/**
 * Server-sent events straight from the store: each stream reads on from its own seq, so a reader that was away misses
 * nothing and a slow one holds no memory here.
 */
@Injectable()
export class EventStreams implements BeforeApplicationShutdown {
  private readonly log = new Logger('events');
  private readonly closing = new AbortController();
  private readonly pollMs: number;
  private readonly heartbeatMs: number;
  private count = 0;

  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(OPERATOR_OPTIONS) options: OperatorOptions,
  ) {
    this.pollMs = options.eventPollMs ?? 500;
    this.heartbeatMs = options.eventHeartbeatMs ?? 10_000;
  }

  /** Before the HTTP server closes: it would wait for open streams. */
  beforeApplicationShutdown(): void {
    this.closing.abort();
  }

  /**
   * Serves one stream until the reader goes, may not read any more, or the controller stops. `after` null: only what happens
   * from now on.
   */
  async open(res: Response, { after, group, stillAllowed }: StreamOrder): Promise<void> {
    if (this.count >= MAX_STREAMS) throw tooMany();
    this.count += 1;
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, this.closing.signal]);
    try {
      const from = after ?? (await this.store.lastEvents(1))[0]?.seq ?? 0;
      res.set({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
      res.flushHeaders();
      res.write('retry: 1000\n: connected\n\n');
      await this.follow(res, { after: from, group, stillAllowed }, signal);
    } finally {
      this.count -= 1;
      if (res.headersSent) res.end();
    }
  }

  private async follow(res: Response, of: StreamOrder & { after: number }, signal: AbortSignal): Promise<void> {
    const { group, stillAllowed } = of;
    let seq = of.after;
    let writtenAtMs = performance.now();
    while (!signal.aborted) {
      if (!(await stillAllowed())) return void (await send(res, ': not authorised any more\n\n', signal));
      const rows = await this.read(seq, group);
      for (const row of rows) {
        seq = row.seq;
        if (
          !(await send(res, `id: ${row.seq}\nevent: ${row.type}\ndata: ${JSON.stringify(eventView(row))}\n\n`, signal))
        )
          return;
        writtenAtMs = performance.now();
      }
      if (rows.length === PAGE) continue;
      if (performance.now() - writtenAtMs >= this.heartbeatMs) {
        if (!(await send(res, ': heartbeat\n\n', signal))) return;
        writtenAtMs = performance.now();
      }
      await pause(this.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A store that is away ends no stream: readers would only come back and find the same. */
  private async read(after: number, group: string | undefined) {
    try {
      return await this.store.events(after, PAGE, group);
    } catch (e) {
      this.log.debug(`events not readable: ${String(e)}`);
      return [];
    }
  }
}

/** False: the reader is gone, or has not read for too long. */
const send = async (res: Response, text: string, signal: AbortSignal): Promise<boolean> => {
  if (signal.aborted) return false;
  if (res.write(text)) return true;
  try {
    await once(res, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(SLOW_READER_MS)]) });
    return true;
  } catch {
    res.destroy();
    return false;
  }
};

const tooMany = (): Problem =>
  new Problem(
    {
      status: 503,
      code: 'too_many_streams',
      title: 'Too many open event streams',
      detail: `This controller serves ${MAX_STREAMS} at once; ask another one, or come back later.`,
    },
    { 'retry-after': '10' },
  );
