import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { type Logger, LOGGER } from '#platform';
import './identity.js';
import { requestIdOf } from './request-ids.js';

/** One line for every call when it is over, by its id: what was told at `info`, what was asked at `debug`. */
@Injectable()
export class RequestLog implements NestMiddleware<Request, Response> {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  use(req: Request, res: Response, next: NextFunction): void {
    const requestId = requestIdOf(req, res);
    const startMs = performance.now();
    const path = req.originalUrl.split('?')[0] ?? ''; // as it came: middleware may see another `req.path` by then
    res.once('close', () => {
      const fields = {
        'log.logger': 'http',
        'http.request.id': requestId,
        'http.request.method': req.method,
        'url.path': path,
        'http.response.status_code': res.statusCode,
        'event.duration': Math.round((performance.now() - startMs) * 1e6), // ns, as ECS has it
        'user.name': req.operator ?? null,
        'client.address': req.socket.remoteAddress ?? null,
      };
      this.logger[req.method === 'GET' ? 'debug' : 'info'](fields, `${req.method} ${path} ${res.statusCode}`);
    });
    next();
  }
}
