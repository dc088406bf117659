import { Injectable } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerLimitDetail, type ThrottlerModuleOptions } from '@nestjs/throttler';
import type { Request } from 'express';
import type { RateLimit } from '../operator.options.js';
import './identity.js';
import { Problem } from './problem.js';

const isRead = (context: ExecutionContext): boolean => context.switchToHttp().getRequest<Request>().method === 'GET';

/** Reads and writes are counted apart, so that a dashboard gone wild keeps nobody from acting. */
export const throttlers = ({ windowMs, reads, writes }: RateLimit): ThrottlerModuleOptions => ({
  setHeaders: false,
  throttlers: [
    { name: 'reads', ttl: windowMs, limit: reads, skipIf: (context) => !isRead(context) },
    { name: 'writes', ttl: windowMs, limit: writes, skipIf: isRead },
  ],
});

/**
 * So many calls of one token in a window, counted by this controller for itself; without a token, of one address. Stands
 * behind the bearer guard: what it refused is not counted.
 */
@Injectable()
export class RateGuard extends ThrottlerGuard {
  protected override getTracker(req: Request): Promise<string> {
    return Promise.resolve(req.operator ?? req.socket.remoteAddress ?? 'unknown');
  }

  /** All routes together: by default every handler would have a count of its own. */
  protected override generateKey(_context: ExecutionContext, tracker: string, name: string): string {
    return `${name} ${tracker}`;
  }

  protected override throwThrottlingException(
    _context: ExecutionContext,
    { limit, ttl, timeToBlockExpire }: ThrottlerLimitDetail,
  ): Promise<void> {
    throw new Problem(
      {
        status: 429,
        code: 'too_many_requests',
        title: 'Too many calls',
        detail: `At most ${limit} in ${ttl / 1000} s are served; wait ${timeToBlockExpire} s.`,
      },
      { 'retry-after': String(timeToBlockExpire) },
    );
  }
}
