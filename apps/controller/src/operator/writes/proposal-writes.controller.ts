import { Body, Controller, Inject, Param, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Json } from '#failover';
import { ROUTES } from '../contract/routes.js';
import { identityOf } from '../http/identity.js';
import { Serves } from '../http/serves.decorator.js';
import { writeHeaders } from '../http/write.guard.js';
import { actLocation } from './act-operation.js';
import { GroupWriter } from './group-writer.service.js';
import { ProposalWriter } from './proposal-writer.service.js';
import { approveSchema, rejectSchema } from './proposal.schemas.js';
import type { ApproveBody, RejectBody } from './proposal.schemas.js';
import { reject } from './reject.act.js';
import { sagaOf } from './saga-of.js';

/** A person's answer to an open proposal. */
@Controller()
export class ProposalWritesController {
  constructor(
    @Inject(ProposalWriter) private readonly proposals: ProposalWriter,
    @Inject(GroupWriter) private readonly writer: GroupWriter,
  ) {}

  /** `saga` of the answer: what began with it; null: another person must approve too. */
  @Serves(ROUTES.approve)
  async approve(
    @Param('group') group: string,
    @Body({ schema: approveSchema }) body: ApproveBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    const answer = await this.proposals.approve(group, body, writeHeaders(req), identityOf(req));
    const saga = sagaOf(answer.body);
    res.status(answer.status);
    if (saga !== null) res.location(`/v1/operations/${encodeURIComponent(saga)}`);
    return answer.body;
  }

  @Serves(ROUTES.reject)
  async reject(
    @Param('group') group: string,
    @Body({ schema: rejectSchema }) body: RejectBody,
    @Req() req: Request,
    @Res({ passthrough: true }) res: Response,
  ): Promise<Json> {
    const headers = writeHeaders(req);
    const answer = await this.writer.write(group, reject(body, Date.now()), headers, body);
    const location = actLocation(answer.body, headers.key);
    res.status(answer.status);
    if (location !== null) res.location(location);
    return answer.body;
  }
}
