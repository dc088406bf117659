import type { Alert } from '../../persistence/alerts.port.js';
import type { CompiledAlertingOptions, Receiver } from '../alerting.options.js';
import { GuardedPost } from './guarded-post.js';
import { Sender } from './sender.js';
import type { SendOutcome } from './sender.js';

/** One sender per receiver over one guarded HTTP client. Throws at construction for an unusable secret. */
export class Senders {
  private readonly post: GuardedPost;
  private readonly byName: ReadonlyMap<string, Sender>;

  constructor(options: CompiledAlertingOptions) {
    this.post = new GuardedPost(options.allowPrivate, options.timeoutMs);
    const sender = (r: Receiver) => [r.name, new Sender(r, this.post, options.runbookUrl)] as const;
    this.byName = new Map(options.receivers.map(sender));
  }

  async send(receiver: string, alert: Alert, signal: AbortSignal): Promise<SendOutcome> {
    const sender = this.byName.get(receiver);
    if (sender !== undefined) return sender.send(alert, signal);
    // In Redis from before a change of configuration: nobody is owed it any more.
    return { ok: false, error: `receiver ${receiver} is not configured`, forGood: true, retryAfterMs: 0 };
  }

  close(): Promise<void> {
    return this.post.close();
  }
}
