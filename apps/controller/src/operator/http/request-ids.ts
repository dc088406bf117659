import type { NextFunction, Request, Response } from 'express';
import { newId } from '#platform';
import './identity.js';

const HEADER = 'x-request-id';

/** The id of this request; made at the first question, and in the answer's headers from then on. */
export function requestIdOf(req: Request, res: Response): string {
  req.requestId ??= newId();
  if (!res.headersSent) res.setHeader(HEADER, req.requestId);
  return req.requestId;
}

/** So that every answer has one, also a good one. */
export function requestIds(req: Request, res: Response, next: NextFunction): void {
  requestIdOf(req, res);
  next();
}
