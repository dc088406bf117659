import type { Alert } from '../../persistence/alerts.port.js';
import { ALERT_TABLE } from '../alert-table.js';
import type { Receiver } from '../alerting.options.js';
import { FORMATS, requestFor } from './formats.js';
import type { GuardedPost } from './guarded-post.js';
import { webhookKey } from './webhook.js';

/**
 * `forGood`: no repetition can help. `retryAfterMs`: the receiver asked for that much time.
 * `waitMs`: nothing was sent, it is not this receiver's turn yet.
 */
export type SendOutcome = Readonly<
  { ok: true } | { ok: false; error: string; forGood: boolean; retryAfterMs: number } | { ok: false; waitMs: number }
>;

const TOO_MANY = 429;
const DEFAULT_RETRY_AFTER_MS = 30_000;
/** A receiver may ask for any time; a page must not wait a day for it. */
const MAX_RETRY_AFTER_MS = 300_000;
const REMEMBERED = 1_000;

/** Speaks to one receiver: never more often than its kind allows, and not while it asked to be left alone. */
export class Sender {
  private openAtMs = 0;
  private readonly over = new Set<string>(); // incidents of which this receiver took the end

  constructor(
    readonly receiver: Receiver,
    private readonly post: GuardedPost,
    private readonly runbookUrl: string,
  ) {
    if (receiver.kind === 'webhook') for (const s of [receiver.secret, receiver.alsoSecret]) if (s) webhookKey(s);
  }

  /** Never throws. */
  async send(alert: Alert, signal: AbortSignal): Promise<SendOutcome> {
    const format = FORMATS[this.receiver.kind];
    const closes = ALERT_TABLE[alert.type].status === 'resolved';
    if (format.keepsIncidents && !closes && this.over.has(alert.incident)) return { ok: true };
    const now = performance.now();
    if (now < this.openAtMs) return { ok: false, waitMs: Math.ceil(this.openAtMs - now) };
    this.openAtMs = now + format.minGapMs;
    try {
      const context = { nowMs: Date.now(), runbookUrl: this.runbookUrl };
      const answer = await this.post.send(requestFor(this.receiver, alert, context), signal);
      if (answer.status >= 200 && answer.status < 300) {
        if (closes) remember(this.over, alert.incident);
        return { ok: true };
      }
      if (answer.status === TOO_MANY) return this.limited(answer.retryAfterMs);
      const hint = answer.status >= 300 && answer.status < 400 ? ' (redirects are not followed)' : '';
      const said = answer.body.trim() === '' ? '' : `: ${answer.body.trim().slice(0, 200)}`;
      return {
        ok: false,
        error: `answered ${answer.status}${hint}${said}`,
        forGood: format.refusesForGood(answer),
        retryAfterMs: 0,
      };
    } catch (e) {
      return { ok: false, error: message(e), forGood: false, retryAfterMs: 0 };
    }
  }

  private limited(asked: number | null): SendOutcome {
    const retryAfterMs = Math.min(asked ?? DEFAULT_RETRY_AFTER_MS, MAX_RETRY_AFTER_MS);
    this.openAtMs = Math.max(this.openAtMs, performance.now() + retryAfterMs);
    const error = `answered 429: to be left alone for ${Math.ceil(retryAfterMs / 1_000)} s`;
    return { ok: false, error, forGood: false, retryAfterMs };
  }
}

const message = (e: unknown): string => {
  if (!(e instanceof Error)) return String(e);
  return e.cause instanceof Error ? `${e.message}: ${e.cause.message}` : e.message;
};

const remember = (set: Set<string>, id: string): void => {
  set.add(id);
  if (set.size > REMEMBERED) for (const oldest of set) return void set.delete(oldest);
};
