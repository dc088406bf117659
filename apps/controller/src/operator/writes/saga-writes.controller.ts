import { Body, Controller, Inject, Param, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Json, SagaRequest } from '#failover';
import { ROUTES } from '../contract/routes.js';
import { Serves } from '../http/serves.decorator.js';
import { callerOf, writeHeaders, writeKey } from '../http/write.guard.js';
import { sagaOf } from './saga-of.js';
import { SagaWriter } from './saga-writer.service.js';
import { abortSchema, failbackSchema, rejoinSchema, switchoverSchema } from './schemas.js';
import type { AbortBody, PlannedBody, RejoinBody } from './schemas.js';

@Controller()
export class SagaWritesController {
  constructor(@Inject(SagaWriter) private readonly writer: SagaWriter) {}

  @Serves(ROUTES.switchover)
  switchover(
    @Param('group') group: string,
    @Body({ schema: switchoverSchema }) body: PlannedBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.open(group, 'switchover', body, req, res);
  }

  @Serves(ROUTES.failback)
  failback(
    @Param('group') group: string,
    @Body({ schema: failbackSchema }) body: PlannedBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.open(group, 'failback', body, req, res);
  }

  /** The old side back as standby: what becomes of the records that only it holds is said by `choice`. */
  @Serves(ROUTES.rejoin)
  rejoin(
    @Param('group') group: string,
    @Body({ schema: rejoinSchema }) body: RejoinBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    const { choice, destination, strategy, priority, confirm, ...rest } = body;
    const rejoin = { choice, destination, strategy, priority, confirm };
    return this.open(group, 'rejoin', { ...rest, rejoin }, req, res);
  }

  /** By id, without If-Match: the saga itself is what the caller has seen. */
  @Serves(ROUTES.abort)
  async abort(
    @Param('id') id: string,
    @Body({ schema: abortSchema }) body: AbortBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    const answer = await this.writer.abort(id, body, { key: writeKey(req), caller: callerOf(req) });
    res.status(answer.status).location(`/v1/operations/${encodeURIComponent(id)}`);
    return answer.body;
  }

  private async open(
    group: string,
    kind: 'switchover' | 'failback' | 'rejoin',
    body: PlannedBody & Pick<SagaRequest, 'rejoin'>,
    req: Request,
    res: Response,
  ): Promise<Json> {
    const answer = await this.writer.open(group, kind, body, writeHeaders(req));
    const saga = sagaOf(answer.body);
    res.status(answer.status);
    if (saga !== null) res.location(`/v1/operations/${encodeURIComponent(saga)}`);
    return answer.body;
  }
}
