import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import './identity.js';
import { Problem } from './problem.js';

/** How the caller was known (`oidc:kim`, `token:ci`, `file-token`, `loopback`) and from where; `by` is only what it says. */
export type Caller = Readonly<{ authenticated: string; from: string; requestId: string | null }>;
export type WriteHeaders = Readonly<{ key: string; epoch: number; caller: Caller }>;

export const callerOf = (req: Request): Caller => ({
  authenticated: req.operator ?? 'loopback',
  from: req.socket.remoteAddress ?? 'unknown',
  requestId: req.requestId ?? null,
});

const KEY = /^[\x21-\x7e]{1,200}$/;

export const noLeader = (detail: string): Problem =>
  new Problem(
    { status: 503, code: 'no_leader', title: 'No controller leads right now', detail },
    { 'retry-after': '2' },
  );

/** What every write needs before its body is looked at: the leader, a key and the epoch the caller has seen. */
@Injectable()
export class WriteGuard implements CanActivate {
  constructor(@Inject(LEADERSHIP) private readonly leadership: Leadership) {}

  canActivate(context: ExecutionContext): boolean {
    requireLeading(this.leadership);
    writeHeaders(context.switchToHttp().getRequest<Request>());
    return true;
  }
}

/** The same for what is addressed by an id of its own instead of an epoch. */
@Injectable()
export class KeyGuard implements CanActivate {
  constructor(@Inject(LEADERSHIP) private readonly leadership: Leadership) {}

  canActivate(context: ExecutionContext): boolean {
    requireLeading(this.leadership);
    writeKey(context.switchToHttp().getRequest<Request>());
    return true;
  }
}

/** Throws what names the leader, or says that there is none. */
export const requireLeading = (leadership: Leadership): void => {
  const view = leadership.current();
  if (view.leading) return;
  if (!view.leader || view.leader.id === view.me) {
    throw noLeader('A new leader is elected within the lease time; try again.');
  }
  throw new Problem({
    status: 421,
    code: 'not_leader',
    title: 'This controller does not lead',
    // Not a redirect: clients drop the Authorization header on those.
    detail: `Send the same request to ${view.leader.advertise} (${view.leader.id}).`,
    leader: view.leader.advertise,
  });
};

/** Reads Idempotency-Key and If-Match; throws the 400, 412 or 428 that says which is wrong. */
export const writeHeaders = (req: Request): WriteHeaders => {
  const key = writeKey(req);
  const match = req.header('if-match');
  if (match === undefined) {
    throw new Problem({
      status: 428,
      code: 'if_match_missing',
      title: 'If-Match is missing',
      detail: 'Send If-Match: "<epoch>" with the epoch of the group as you last saw it (GET /v1/groups/<group>).',
    });
  }
  const epoch = /^"(\d{1,15})"$/.exec(match)?.[1];
  if (epoch === undefined) throw staleEpoch(`If-Match ${match} is not a quoted epoch such as "7".`);
  return { key, epoch: Number(epoch), caller: callerOf(req) };
};

/** Reads Idempotency-Key; throws the 400 that says how. */
export const writeKey = (req: Request): string => {
  const key = req.header('idempotency-key');
  if (key !== undefined && KEY.test(key)) return key;
  throw new Problem({
    status: 400,
    code: 'idempotency_key_missing',
    title: 'Idempotency-Key is missing or malformed',
    detail: 'Send Idempotency-Key: 1 to 200 visible ASCII characters, a new one per intended act.',
  });
};

export const staleEpoch = (detail: string): Problem =>
  new Problem({ status: 412, code: 'stale_epoch', title: 'The epoch is not the one you saw', detail });
