import { Catch, HttpException, Inject, Logger } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { newId } from '#platform';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import { LostLeadershipError, StoreUnavailableError } from '../../persistence/authority-store.port.js';
import { DeniedAttempts } from './denied-attempts.js';
import { noLeader } from './write.guard.js';
import { Problem } from './problem.js';

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
    const requestId = newId();
    const problem = toProblem(thrown);
    if (problem.problem.status >= 500 && !(thrown instanceof HttpException)) {
      this.log.error(`${req.method} ${req.path} (${requestId}): ${String(thrown)}`, stackOf(thrown));
    }
    this.denied.note(req, problem.problem, requestId);
    if (res.headersSent) return void res.destroy();
    res
      .status(problem.problem.status)
      .set(problem.headers)
      .set('x-request-id', requestId)
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
  if (thrown instanceof HttpException) {
    const status = thrown.getStatus();
    return new Problem({ status, code: `http_${status}`, title: thrown.message, detail: thrown.message });
  }
  return new Problem({
    status: 500,
    code: 'internal',
    title: 'The controller could not answer',
    detail: 'Its log has the cause under this requestId: report it. Another controller may be able to answer.',
  });
};

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
