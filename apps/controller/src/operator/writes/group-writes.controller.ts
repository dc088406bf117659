import { Body, Controller, Header, Inject, Param, Post, Req, Res, UseGuards, UsePipes } from '@nestjs/common';
import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Json } from '#failover';
import { BearerGuard } from '../http/bearer.guard.js';
import { invalidBody } from '../http/problem.js';
import { WriteGuard, writeHeaders } from '../http/write.guard.js';
import { acceptLoss, acknowledge, pause, resume } from './acts.js';
import type { Act } from './acts.js';
import { GroupWriter } from './group-writer.service.js';
import { acceptLossSchema, acknowledgeSchema, pauseSchema, resumeSchema } from './schemas.js';
import type { AcceptLossBody, AcknowledgeBody, PauseBody, ResumeBody } from './schemas.js';

@Controller('v1/groups/:group')
@UseGuards(BearerGuard, WriteGuard)
@UsePipes(new StandardSchemaValidationPipe({ exceptionFactory: invalidBody }))
export class GroupWritesController {
  constructor(@Inject(GroupWriter) private readonly writer: GroupWriter) {}

  @Post('acknowledge')
  @Header('cache-control', 'no-store')
  acknowledge(
    @Param('group') group: string,
    @Body({ schema: acknowledgeSchema }) body: AcknowledgeBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.carryOut(group, acknowledge(body, Date.now()), body, req, res);
  }

  @Post('pause')
  @Header('cache-control', 'no-store')
  pause(
    @Param('group') group: string,
    @Body({ schema: pauseSchema }) body: PauseBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.carryOut(group, pause(body, Date.now()), body, req, res);
  }

  @Post('resume')
  @Header('cache-control', 'no-store')
  resume(
    @Param('group') group: string,
    @Body({ schema: resumeSchema }) body: ResumeBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.carryOut(group, resume(body, Date.now()), body, req, res);
  }

  @Post('accept-loss')
  @Header('cache-control', 'no-store')
  acceptLoss(
    @Param('group') group: string,
    @Body({ schema: acceptLossSchema }) body: AcceptLossBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.carryOut(group, acceptLoss(body, Date.now()), body, req, res);
  }

  private async carryOut(group: string, act: Act, body: unknown, req: Request, res: Response): Promise<Json> {
    const answer = await this.writer.write(group, act, writeHeaders(req), body);
    res.status(answer.status).location(`/v1/groups/${encodeURIComponent(group)}`);
    return answer.body;
  }
}
