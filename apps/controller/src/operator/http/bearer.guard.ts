import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Role } from '../../persistence/tokens.port.js';
import type { OidcResult } from '../oidc/oidc-verifier.js';
import { SignIn } from '../oidc/sign-in.service.js';
import { OPERATOR_OPTIONS } from '../operator.options.js';
import type { OperatorOptions } from '../operator.options.js';
import './identity.js';
import { Problem } from './problem.js';
import { mayCall, neededRole } from './route-roles.js';
import { TokenBook } from './token-book.js';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
const LOOPBACK_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/**
 * The token of the configuration file is an admin's; others are in the store, with a role and an end; or a
 * JWT of the issuer says who it is. 401: no token, or
 * none that is valid. 403: known who it is, but not allowed: no role, too low a role, or, where no token is set, a caller from
 * elsewhere or a browser page that reached loopback under another name (DNS rebinding).
 */
@Injectable()
export class BearerGuard implements CanActivate {
  private readonly expected: Buffer | null;

  constructor(
    @Inject(OPERATOR_OPTIONS) options: OperatorOptions,
    @Inject(TokenBook) private readonly tokens: TokenBook,
    @Inject(SignIn) private readonly signIn: SignIn,
  ) {
    this.expected = options.token === null ? null : digest(options.token);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const req = context.switchToHttp().getRequest<Request>();
    await this.judge(req);
    req.stillAllowed = () => this.stillAllowed(req);
    return true;
  }

  /** False once it would be 401 or 403; what cannot be found out now has not ended. */
  private async stillAllowed(req: Request): Promise<boolean> {
    try {
      await this.judge(req);
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return error.problem.status !== 401 && error.problem.status !== 403;
    }
  }

  /** Throws unless the caller may call this route now. */
  private async judge(req: Request): Promise<void> {
    const given = /^Bearer +(\S+) *$/i.exec(req.headers.authorization ?? '')?.[1];
    if (given === undefined) {
      if (this.expected !== null || this.signIn.offered)
        throw unauthorised('token_missing', 'Send Authorization: Bearer <token>.', '');
      return this.loopbackOnly(req);
    }
    // Digests have one length, so the comparison tells nothing about the token's.
    if (this.expected !== null && timingSafeEqual(digest(given), this.expected)) {
      req.operator = 'file-token';
      return;
    }
    const person = await this.signIn.person(given, Date.now());
    if (person !== null) return this.admit(req, person);
    const row = await this.tokens.valid(given, Date.now());
    if (row === null) {
      if (this.expected === null && !this.signIn.offered) return this.loopbackOnly(req);
      throw unauthorised('token_wrong', 'This token is not valid, or no longer.', ', error="invalid_token"');
    }
    req.operator = `token:${row.name}`;
    return this.allowed(req, row.role);
  }

  /** Who came by OIDC; the audit says so by the actor's prefix. */
  private admit(req: Request, person: OidcResult): void {
    switch (person.kind) {
      case 'known':
        req.operator = `oidc:${person.name}`;
        return this.allowed(req, person.role);
      case 'no-role':
        req.operator = `oidc:${person.name}`;
        throw new Problem({
          code: 'role_missing',
          status: 403,
          title: 'This sign-in has no role here',
          detail: 'It is valid, but none of its roles is mapped: see http.oidc.roles of the controllers.',
        });
      case 'invalid':
        throw unauthorised('token_wrong', `This sign-in is not valid: ${person.why}.`, ', error="invalid_token"');
      case 'unavailable':
        throw new Problem(
          {
            code: 'sign_in_unavailable',
            status: 503,
            title: 'Sign-ins cannot be checked now',
            detail: 'The keys of the issuer were never read. A token of the store or of http.tokenFile works.',
          },
          { 'retry-after': '10' },
        );
    }
  }

  private allowed(req: Request, role: Role): void {
    const route = req.route as Readonly<{ path: string }> | undefined;
    const needed = neededRole(req.method, route?.path ?? req.path);
    if (mayCall(role, needed)) return;
    throw new Problem({
      status: 403,
      code: 'role_too_low',
      title: `This needs the role ${needed}`,
      detail: `You have the role ${role}. An admin makes a token: pointsman token create --role ${needed}.`,
    });
  }

  private loopbackOnly(req: Request): void {
    if (LOOPBACK.has(req.socket.remoteAddress ?? '') && LOOPBACK_HOST.test(req.headers.host ?? '')) return;
    throw new Problem({
      status: 403,
      code: 'loopback_only',
      title: 'Only calls from this machine are served',
      detail: 'Set http.tokenFile in the controller’s configuration to serve others.',
    });
  }
}

const unauthorised = (code: 'token_missing' | 'token_wrong', detail: string, hint: string): Problem =>
  new Problem(
    { status: 401, code, title: 'Not authorised', detail },
    { 'www-authenticate': `Bearer realm="pointsman"${hint}` },
  );
