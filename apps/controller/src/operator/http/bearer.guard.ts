import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { OPERATOR_OPTIONS } from '../operator.options.js';
import type { OperatorOptions } from '../operator.options.js';
import { Problem } from './problem.js';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
const LOOPBACK_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/**
 * One token for all of /v1. 401: no token, or not this one. 403: known who it is (this machine, as no token is set), but
 * not allowed: a caller from elsewhere, or a browser page that reached loopback under another name (DNS rebinding).
 */
@Injectable()
export class BearerGuard implements CanActivate {
  private readonly expected: Buffer | null;

  constructor(@Inject(OPERATOR_OPTIONS) options: OperatorOptions) {
    this.expected = options.token === null ? null : digest(options.token);
  }

  canActivate(context: ExecutionContext): boolean {
    const req = context.switchToHttp().getRequest<Request>();
    if (!this.expected) return this.loopbackOnly(req);
    const given = /^Bearer +(\S+) *$/i.exec(req.headers.authorization ?? '')?.[1];
    if (given === undefined) throw unauthorised('token_missing', 'Send Authorization: Bearer <token>.', '');
    // Digests have one length, so the comparison tells nothing about the token's.
    if (timingSafeEqual(digest(given), this.expected)) return true;
    throw unauthorised('token_wrong', 'This token is not the controller’s.', ', error="invalid_token"');
  }

  private loopbackOnly(req: Request): boolean {
    if (LOOPBACK.has(req.socket.remoteAddress ?? '') && LOOPBACK_HOST.test(req.headers.host ?? '')) return true;
    throw new Problem({
      status: 403,
      code: 'loopback_only',
      title: 'Only calls from this machine are served',
      detail: 'Set http.tokenFile in the controller’s configuration to serve others.',
    });
  }
}

const unauthorised = (code: string, detail: string, hint: string): Problem =>
  new Problem(
    { status: 401, code, title: 'Not authorised', detail },
    { 'www-authenticate': `Bearer realm="pointsman"${hint}` },
  );
