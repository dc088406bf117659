import { Controller, Get, Headers, Inject, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { EventStreams } from './event-streams.service.js';
import { Groups } from './groups.service.js';
import { BearerGuard } from './http/bearer.guard.js';
import { queryInt } from './http/query.js';
import { eventView } from './views/event.view.js';

const LIST = { min: 1, max: 500, fallback: 50 };
const SEQ = { min: 0, max: Number.MAX_SAFE_INTEGER, fallback: -1 };

/**
 * Events as a list, or with `Accept: text/event-stream` as a stream that resumes after `Last-Event-ID` (or `?after=`),
 * at any controller: ids are the store's seq.
 */
@Controller('v1/events')
@UseGuards(BearerGuard)
export class EventsController {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(EventStreams) private readonly streams: EventStreams,
    @Inject(Groups) private readonly groups: Groups,
  ) {}

  @Get()
  async events(
    @Req() req: Request,
    @Res() res: Response,
    @Headers('last-event-id') lastEventId?: string,
    @Query('after') after?: string,
    @Query('limit') limit?: string,
    @Query('group') group?: string,
  ): Promise<void> {
    if (group !== undefined) this.groups.config(group);
    const from = queryInt('after', lastEventId ?? after, SEQ);
    res.set('cache-control', 'no-store');
    if (req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') {
      return this.streams.open(res, from < 0 ? null : from, group);
    }
    const count = queryInt('limit', limit, LIST);
    const rows = from < 0 ? await this.store.lastEvents(count, group) : await this.store.events(from, count, group);
    res.json({ events: rows.map(eventView) });
  }
}
