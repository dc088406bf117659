import { Body, Controller, Inject, Param, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Json } from '#failover';
import { ROUTES } from '../contract/routes.js';
import { Serves } from '../http/serves.decorator.js';
import { writeHeaders } from '../http/write.guard.js';
import { Groups } from '../groups.service.js';
import { OPERATOR_OPTIONS } from '../operator.options.js';
import type { OperatorOptions } from '../operator.options.js';
import { actLocation } from './act-operation.js';
import { acceptLoss, acknowledge, pause, resume } from './acts.js';
import type { Act } from './acts.js';
import { GroupWriter } from './group-writer.service.js';
import { setMode } from './mode.act.js';
import { modeSchema } from './mode.schema.js';
import type { ModeBody } from './mode.schema.js';
import { acceptLossSchema, acknowledgeSchema, pauseSchema, resumeSchema } from './schemas.js';
import type { AcceptLossBody, AcknowledgeBody, PauseBody, ResumeBody } from './schemas.js';

@Controller()
export class GroupWritesController {
  constructor(
    @Inject(GroupWriter) private readonly writer: GroupWriter,
    @Inject(Groups) private readonly groups: Groups,
    @Inject(OPERATOR_OPTIONS) private readonly options: OperatorOptions,
  ) {}

  @Serves(ROUTES.acknowledge)
  acknowledge(
    @Param('group') group: string,
    @Body({ schema: acknowledgeSchema }) body: AcknowledgeBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.carryOut(group, acknowledge(body, Date.now()), body, req, res);
  }

  @Serves(ROUTES.pause)
  pause(
    @Param('group') group: string,
    @Body({ schema: pauseSchema }) body: PauseBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.carryOut(group, pause(body, Date.now()), body, req, res);
  }

  @Serves(ROUTES.resume)
  resume(
    @Param('group') group: string,
    @Body({ schema: resumeSchema }) body: ResumeBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.carryOut(group, resume(body, Date.now()), body, req, res);
  }

  @Serves(ROUTES.acceptLoss)
  acceptLoss(
    @Param('group') group: string,
    @Body({ schema: acceptLossSchema }) body: AcceptLossBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.carryOut(group, acceptLoss(body, Date.now()), body, req, res);
  }

  @Serves(ROUTES.mode)
  mode(
    @Param('group') group: string,
    @Body({ schema: modeSchema }) body: ModeBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    const { observerIdcs } = this.options;
    const act = setMode(body, { ...this.groups.config(group), observerIdcs }, Date.now());
    return this.carryOut(group, act, body, req, res);
  }

  private async carryOut(group: string, act: Act, body: unknown, req: Request, res: Response): Promise<Json> {
    const headers = writeHeaders(req);
    const answer = await this.writer.write(group, act, headers, body);
    const location = actLocation(answer.body, headers.key);
    res.status(answer.status);
    if (location !== null) res.location(location);
    return answer.body;
  }
}
