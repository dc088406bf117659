import { Body, Controller, Inject, Param, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Json } from '#failover';
import { ROUTES } from '../contract/routes.js';
import { Serves } from '../http/serves.decorator.js';
import { callerOf, writeHeaders, writeKey } from '../http/write.guard.js';
import { sagaOf } from './saga-of.js';
import { type AskedBody, type AskedKind, SagaWriter } from './saga-writer.service.js';
import { abortSchema, failbackSchema, failoverSchema, rejoinSchema, switchoverSchema } from './schemas.js';
import type { AbortBody, FailoverBody, PlannedBody, RejoinBody, SwitchoverBody } from './schemas.js';

@Controller()
export class SagaWritesController {
  constructor(@Inject(SagaWriter) private readonly writer: SagaWriter) {}

  @Serves(ROUTES.switchover)
  switchover(
    @Param('group') group: string,
    @Body({ schema: switchoverSchema }) body: SwitchoverBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.open(group, 'switchover', body, req, res);
  }

  /** Of a source that is dead, or serves so badly that nobody can move it in peace; the matrix says what may be ordered. */
  @Serves(ROUTES.failover)
  failover(
    @Param('group') group: string,
    @Body({ schema: failoverSchema }) body: FailoverBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    const { acceptLoss, override, ...rest } = body;
    const { maxRecords = null, maxDuration: maxMs = null } = acceptLoss;
    const force = { acceptLoss: { maxRecords, maxMs }, override };
    return this.open(group, 'failover', { ...rest, acceptUnfencedSource: false, force }, req, res);
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

  /** By id, without If-Match: the saga itself, or what is scheduled, is what the caller has seen. */
  @Serves(ROUTES.abort)
  async abort(
    @Param('id') id: string,
    @Body({ schema: abortSchema }) body: AbortBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    const { answer, group } = await this.writer.abort(id, body, { key: writeKey(req), caller: callerOf(req) });
    // What had not begun has no operation to follow.
    const where =
      group === null ? `/v1/operations/${encodeURIComponent(id)}` : `/v1/groups/${encodeURIComponent(group)}`;
    res.status(answer.status).location(where);
    return answer.body;
  }

  private async open(group: string, kind: AskedKind, body: AskedBody, req: Request, res: Response): Promise<Json> {
    const answer = await this.writer.open(group, kind, body, writeHeaders(req));
    const saga = sagaOf(answer.body);
    res.status(answer.status);
    if (saga !== null) res.location(`/v1/operations/${encodeURIComponent(saga)}`);
    return answer.body;
  }
}
