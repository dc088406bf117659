import { Body, Controller, Inject, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Json } from '#failover';
import { ROUTES } from '../contract/routes.js';
import { Serves } from '../http/serves.decorator.js';
import { callerOf, writeKey } from '../http/write.guard.js';
import { type FleetAct, pauseAll, resumeAll } from './fleet-acts.js';
import { FleetWriter } from './fleet-writer.service.js';
import { pauseSchema, resumeSchema } from './schemas.js';
import type { PauseBody, ResumeBody } from './schemas.js';

/** What is said of all groups at once: no epoch stands for all of them, so there is no If-Match. */
@Controller()
export class FleetWritesController {
  constructor(@Inject(FleetWriter) private readonly writer: FleetWriter) {}

  @Serves(ROUTES.pauseAll)
  pause(
    @Body({ schema: pauseSchema }) body: PauseBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.carryOut(pauseAll(body, Date.now()), body, req, res);
  }

  @Serves(ROUTES.resumeAll)
  resume(
    @Body({ schema: resumeSchema }) body: ResumeBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    return this.carryOut(resumeAll(body, Date.now()), body, req, res);
  }

  private async carryOut(act: FleetAct, body: unknown, req: Request, res: Response): Promise<Json> {
    const answer = await this.writer.write(act, { key: writeKey(req), caller: callerOf(req) }, body);
    res.status(answer.status).location('/v1/groups');
    return answer.body;
  }
}
