import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Request } from 'express';
import './identity.js';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../../persistence/authority-store.port.js';
import type { AuthorityStore } from '../../persistence/authority-store.port.js';
import { OPERATOR_OPTIONS } from '../operator.options.js';
import type { OperatorOptions } from '../operator.options.js';
import type { ProblemBody } from './problem.js';
import { RepeatedReads } from './repeated-reads.js';

/** Refused because of who asked or what was asked; a malformed call, an old epoch, a repeated key are no attempts. */
const DENIED = new Set([401, 403, 409]);
const PER_MINUTE = 60;
const MINUTE_MS = 60_000;
const REPEATS_MS = 300_000;

type Attempt = Readonly<{
  method: string;
  path: string;
  actor: string;
  from: string;
  requestId: string;
  status: number;
  code: string;
  title: string;
  repeats?: Readonly<{ repeats: number; withinMs: number }>;
}>;

/**
 * Refused attempts are part of the audit too. Bounded: somebody who guesses tokens must not fill the store, so beyond a
 * number per minute they are only counted in the log; reads have a number of their own, so that they hide no write. A read
 * that is repeated is counted and told once in some minutes. A standby cannot write and only logs.
 */
@Injectable()
export class DeniedAttempts implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('audit');
  private readonly reads = new PerMinute();
  private readonly writes = new PerMinute();
  private readonly repeated: RepeatedReads<Attempt>;
  private readonly repeatsMs: number;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(OPERATOR_OPTIONS) options: OperatorOptions,
  ) {
    this.repeatsMs = options.deniedRepeatsMs ?? REPEATS_MS;
    this.repeated = new RepeatedReads(this.repeatsMs);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.tellRepeats(), this.repeatsMs / 5);
    this.timer.unref();
  }

  /** What was counted is told while this controller may still lead. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.tellRepeats(true);
  }

  /** Never throws; nobody waits for it. */
  note(req: Request, problem: ProblemBody, requestId: string): void {
    if (!DENIED.has(problem.status) || !req.path.startsWith('/v1/')) return;
    if (problem.code === 'in_flight' || isDryRun(req.body)) return;
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    if (isRead && problem.status !== 401 && problem.status !== 403) return;
    const actor = req.operator ?? 'unknown';
    const from = req.socket.remoteAddress ?? 'unknown';
    const { method, path } = req;
    const { status, code, title } = problem;
    const attempt = { method, path, actor, from, requestId, status, code, title };
    const key = JSON.stringify([actor, from, method, path, code]);
    if (isRead && this.repeated.count(key, requestId)) return;
    const told = !(isRead ? this.reads : this.writes).tooMany();
    if (told && isRead) this.repeated.begin(key, attempt, performance.now());
    void this.tell([attempt], told);
  }

  private async tellRepeats(all = false): Promise<void> {
    const nowMs = performance.now();
    const due = this.repeated.take(nowMs, all).map(({ first, sinceMs, times, requestId }) => ({
      ...{ ...first, requestId, title: `${first.title}, ${times} more times` },
      repeats: { repeats: times, withinMs: Math.round(nowMs - sinceMs) },
    }));
    if (due.length > 0) await this.tell(due, true);
  }

  /** In one transaction, so that a store that is away holds up a planned stop once. */
  private async tell(attempts: readonly Attempt[], mayWrite: boolean): Promise<void> {
    const { term, me, leading } = this.leadership.current();
    if (mayWrite && leading) {
      try {
        const rows = attempts.map((attempt) => ({ ...auditOf(attempt), at: new Date().toISOString(), term }));
        return await this.store.transact(term, me, async (tx) => {
          for (const row of rows) await tx.appendAudit(row);
        });
      } catch (error) {
        this.log.warn(`denied attempts could not be audited: ${String(error)}`);
      }
    }
    for (const { method, path, title, from, code, requestId } of attempts)
      this.log.warn(`denied: ${method} ${path} from ${from}: ${title} ${code} (${requestId})`);
  }
}

const auditOf = ({ method, path, title, actor, from, status, code, requestId, repeats }: Attempt) => ({
  ...{ actor, action: 'denied', epoch: null },
  group: /^\/v1\/groups\/([^/]+)\//.exec(path)?.[1] ?? null,
  reason: `${method} ${path}: ${title}`,
  detail: { status, code, from, requestId, ...repeats },
});

class PerMinute {
  private windowMs = 0;
  private inWindow = 0;

  tooMany(): boolean {
    const now = performance.now();
    if (now - this.windowMs > MINUTE_MS) [this.windowMs, this.inWindow] = [now, 0];
    this.inWindow += 1;
    return this.inWindow > PER_MINUTE;
  }
}

/** A dry run writes nothing, not even that it was refused. */
const isDryRun = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'dryRun' in body && body.dryRun === true;
