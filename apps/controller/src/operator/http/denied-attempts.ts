import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Request } from 'express';
import './identity.js';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../../persistence/authority-store.port.js';
import type { AuthorityStore } from '../../persistence/authority-store.port.js';
import type { ProblemBody } from './problem.js';

/** Refused because of who asked or what was asked; a malformed call, an old epoch, a repeated key are no attempts. */
const DENIED = new Set([401, 403, 409]);
const PER_MINUTE = 60;
const MINUTE_MS = 60_000;

/**
 * Refused attempts are part of the audit too. Bounded: somebody who guesses tokens must not fill the store, so beyond a
 * number per minute they are only counted in the log. A standby cannot write and only logs.
 */
@Injectable()
export class DeniedAttempts {
  private readonly log = new Logger('audit');
  private windowMs = 0;
  private inWindow = 0;

  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
  ) {}

  /** Never throws; nobody waits for it. */
  note(req: Request, problem: ProblemBody, requestId: string): void {
    if (!DENIED.has(problem.status) || !req.path.startsWith('/v1/')) return;
    if (problem.code === 'in_flight' || isDryRun(req.body)) return;
    if (req.method === 'GET' && problem.status !== 401 && problem.status !== 403) return;
    const from = req.socket.remoteAddress ?? 'unknown';
    const { leading } = this.leadership.current();
    if (!leading || this.tooMany()) {
      this.log.warn(`denied: ${req.method} ${req.path} from ${from}: ${problem.code} (${requestId})`);
      return;
    }
    void this.write(req, problem, { from, requestId });
  }

  private async write(req: Request, problem: ProblemBody, more: Readonly<{ from: string; requestId: string }>) {
    const { term, me } = this.leadership.current();
    const group = /^\/v1\/groups\/([^/]+)\//.exec(req.path)?.[1] ?? null;
    const { status, code } = problem;
    try {
      await this.store.transact(term, me, (tx) =>
        tx.appendAudit({
          at: new Date().toISOString(),
          actor: req.operator ?? 'unknown',
          action: 'denied',
          group,
          reason: `${req.method} ${req.path}: ${problem.title}`,
          detail: { status, code, ...more },
          term,
          epoch: null,
        }),
      );
    } catch (error) {
      this.log.warn(`a denied attempt could not be audited (${more.requestId}): ${String(error)}`);
    }
  }

  private tooMany(): boolean {
    const now = performance.now();
    if (now - this.windowMs > MINUTE_MS) [this.windowMs, this.inWindow] = [now, 0];
    this.inWindow += 1;
    return this.inWindow > PER_MINUTE;
  }
}

/** A dry run writes nothing, not even that it was refused. */
const isDryRun = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'dryRun' in body && body.dryRun === true;
