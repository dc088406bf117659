import { Catch, HttpException, Inject, Logger } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import { LostLeadershipError, StoreUnavailableError } from '../../persistence/authority-store.port.js';
import { DeniedAttempts } from './denied-attempts.js';
import { noLeader } from './write.guard.js';
import { Problem } from './problem.js';
import type { ProblemBody } from './problem.js';
import { requestIdOf } from './request-ids.js';

/** Turns everything thrown under HTTP into problem+json, so that callers parse one shape only. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log = new Logger('http');

  constructor(
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(DeniedAttempts) private readonly denied: DeniedAttempts,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw thrown;
    const req = host.switchToHttp().getRequest<Request>();
    const res = host.switchToHttp().getResponse<Response>();
    const requestId = requestIdOf(req, res);
    const problem = toProblem(thrown);
    if (problem.problem.code === 'internal') {
      this.log.error(`${req.method} ${req.path} (${requestId}): ${String(thrown)}`, stackOf(thrown));
    }
    this.denied.note(req, problem.problem, requestId);
    if (res.headersSent) return void res.destroy();
    res
      .status(problem.problem.status)
      .set(problem.headers)
      .type('application/problem+json')
      .send(
        JSON.stringify({
          type: `urn:pointsman:problem:${problem.problem.code}`,
          blockedBy: [],
          errors: [],
          leader: this.leadership.current().leader?.advertise ?? null,
          ...problem.problem,
          requestId,
          instance: req.path,
        }),
      );
  }
}

const toProblem = (thrown: unknown): Problem => {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof LostLeadershipError) return noLeader('Leadership was lost while writing; nothing was changed.');
  if (thrown instanceof StoreUnavailableError) return storeUnavailable(thrown);
  const known = thrown instanceof HttpException ? BY_STATUS.get(thrown.getStatus()) : undefined;
  return new Problem(known ?? INTERNAL);
};

const INTERNAL: ProblemBody = {
  status: 500,
  code: 'internal',
  title: 'The controller could not answer',
  detail: 'Its log has the cause under this requestId: report it. Another controller may be able to answer.',
};

/** What the HTTP server itself refuses, before any of our code has seen it. */
const BY_STATUS: ReadonlyMap<number, ProblemBody> = new Map(
  (
    [
      {
        ...{ status: 400, code: 'malformed_request', title: 'The request cannot be read' },
        detail: 'The body is not JSON, or the path is not well encoded.',
      },
      {
        ...{ status: 404, code: 'not_found', title: 'There is no such route' },
        detail: 'GET /v1/openapi.json lists those there are.',
      },
      {
        ...{ status: 413, code: 'body_too_large', title: 'The body is too long' },
        detail: 'No body of this API is that long.',
      },
      {
        ...{ status: 415, code: 'unsupported_media_type', title: 'The body cannot be read' },
        detail: 'Send UTF-8 JSON.',
      },
    ] as const satisfies readonly ProblemBody[]
  ).map((problem) => [problem.status, problem]),
);

const storeUnavailable = (e: StoreUnavailableError): Problem =>
  new Problem(
    {
      status: 503,
      code: e.outcomeUnknown ? 'outcome_unknown' : 'store_unavailable',
      title: 'The store gave no answer',
      detail: e.outcomeUnknown
        ? 'The change may or may not have been made: repeat the request with the same Idempotency-Key.'
        : 'Nothing was changed; try again in a moment.',
    },
    { 'retry-after': '2' },
  );

const stackOf = (e: unknown): string | undefined => (e instanceof Error ? e.stack : undefined);
