import { Controller, Headers, Inject, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { ROUTES } from './contract/routes.js';
import { EventStreams } from './event-streams.service.js';
import { Groups } from './groups.service.js';
import { queryInt } from './http/query.js';
import { Serves } from './http/serves.decorator.js';
import { eventView } from './views/event.view.js';

/**
 * Events as a list, or with `Accept: text/event-stream` as a stream that resumes after `Last-Event-ID` (or `?after=`),
 * at any controller: ids are the store's seq.
 */
@Controller()
export class EventsController {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(EventStreams) private readonly streams: EventStreams,
    @Inject(Groups) private readonly groups: Groups,
  ) {}

  @Serves(ROUTES.events)
  async events(
    @Req() req: Request,
    @Res() res: Response,
    @Headers('last-event-id') lastEventId?: string,
    @Query('after') after?: string,
    @Query('limit') limit?: string,
    @Query('group') group?: string,
  ): Promise<void> {
    if (group !== undefined) this.groups.config(group);
    const from = queryInt('after', lastEventId ?? after, ROUTES.events.query.after);
    if (req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') {
      const { stillAllowed } = req;
      if (stillAllowed === undefined) throw new Error('no guard has let this caller in');
      return this.streams.open(res, { after: from < 0 ? null : from, group, stillAllowed });
    }
    const count = queryInt('limit', limit, ROUTES.events.query.limit);
    const rows = from < 0 ? await this.store.lastEvents(count, group) : await this.store.events(from, count, group);
    res.json({ events: rows.map(eventView) });
  }
}
